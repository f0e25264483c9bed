FROM python:3.11-slim AS build
WORKDIR /src
RUN python -m venv /opt/frontdesk
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY bot bot
COPY agents/catalogue agents/catalogue
RUN /opt/frontdesk/bin/pip install --no-cache-dir -c constraints.txt '.[all]'

FROM python:3.11-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends git \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 10001 frontdesk \
    && install -d -o frontdesk -g frontdesk /desk /data
COPY --from=build /opt/frontdesk /opt/frontdesk
WORKDIR /desk
COPY --chown=frontdesk:frontdesk agents agents
COPY --chown=frontdesk:frontdesk manifest.yaml ./
ENV PATH=/opt/frontdesk/bin:$PATH \
    MALLOC_ARENA_MAX=1 \
    MALLOC_TRIM_THRESHOLD_=65536 \
    PYTHONUNBUFFERED=1 \
    LOG_FORMAT=json \
    HTTP_HOST=0.0.0.0 \
    HTTP_PORT=8080 \
    DATABASE_URL=sqlite+aiosqlite:////data/frontdesk.db \
    SESSIONS_DIR=/data/sessions
USER 10001
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
    CMD ["python", "-ISc", "import os, urllib.request as u; p = os.environ['HTTP_PORT']; \
        p == '0' or u.urlopen('http://127.0.0.1:' + p + '/healthz', timeout=3)"]
# No init stands before it: that would show its secrets to the harnesses, in its environment.
ENTRYPOINT ["frontdesk"]
CMD ["run"]
