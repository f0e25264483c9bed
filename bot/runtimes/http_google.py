"""Google's credentials: a service account's key, or whatever the machine has."""

import asyncio
import json
from typing import Any

import google.auth
from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import Request
from google.oauth2 import service_account

from bot.errors import Unavailable

GOOGLE: Any = google.auth  # half of it has no types
ACCOUNT: Any = service_account.Credentials
SCOPES = ["https://www.googleapis.com/auth/cloud-platform"]


class Signed:
    """`key` is a service account's key as JSON, or the path of a file with one; empty where the machine itself is known to Google."""

    def __init__(self, key: str) -> None:
        self.key = key
        self._credentials: Any = None
        self._lock = asyncio.Lock()

    async def token(self) -> str:
        """One that is good for some minutes yet. Raises Unavailable."""
        async with self._lock:
            return await asyncio.to_thread(self._token)

    def _token(self) -> str:
        try:
            self._credentials = self._credentials or self._loaded()
            if not self._credentials.valid:
                self._credentials.refresh(Request())
        except (GoogleAuthError, ValueError, OSError) as error:
            what = type(error).__name__
            raise Unavailable(
                f"Google does not let us in ({what}): look at options.key, at this machine's clock, or at what this machine is."
            ) from error
        return str(self._credentials.token)

    def _loaded(self) -> Any:
        if not self.key:
            return GOOGLE.default(scopes=SCOPES)[0]
        if self.key.startswith("{"):
            return ACCOUNT.from_service_account_info(json.loads(self.key), scopes=SCOPES)
        return ACCOUNT.from_service_account_file(self.key, scopes=SCOPES)
