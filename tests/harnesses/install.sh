#!/bin/sh
# Puts the real harnesses into a folder: those from npm, and each from PyPI in an environment of its own.
set -eu
folder=$1 python=$2 here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$folder"
cp "$here/package.json" "$folder/"
(cd "$folder" && npm install --no-audit --no-fund --no-package-lock --loglevel=error)
for name in hermes deepagents litellm a2a03 agentcore; do
    [ -x "$folder/$name/bin/python" ] || "$python" -m venv "$folder/$name"
    "$folder/$name/bin/pip" install -q --disable-pip-version-check -r "$here/$name.txt"
done
