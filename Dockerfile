# The images: `docker build --target app-image .`, or swagger-ui-image, or sandbox-image.

# What the program needs at run time, as locked. No package may run a script here.
FROM node:26-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY sandbox/package.json sandbox/package.json
COPY webapp/package.json webapp/package.json
RUN npm ci --omit=dev --omit=optional --ignore-scripts \
  && rm -f node_modules/swagger-ui-dist/*.map node_modules/swagger-ui-dist/*es-bundle*

# And what the sandbox needs, without the optional packages: they are programs for one platform each (a PostgreSQL).
FROM dependencies AS sandbox-dependencies
RUN npm install --no-save --omit=optional --ignore-scripts --workspace sandbox

# The web client, as files. What builds it stays here.
FROM node:26-bookworm-slim AS webapp
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY sandbox/package.json sandbox/package.json
COPY webapp/package.json webapp/package.json
RUN npm ci --ignore-scripts --workspace webapp
COPY scripts/build-webapp.ts scripts/build-webapp.ts
COPY src/values src/values
COPY webapp webapp
RUN node scripts/build-webapp.ts

FROM node:26-bookworm-slim AS openapi
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY package.json ./
COPY bin bin
COPY src src
RUN node bin/swpt-debtors.js openapi --output openapi.json

# A debtors agent. Runs with a read-only root file system; a writable /tmp makes it start faster. psql and pg_dump are for
# those who look after the database by `docker exec`: from PostgreSQL's own packages, since pg_dump refuses servers that
# are newer than itself.
FROM node:26-bookworm-slim AS app-image
RUN apt-get update \
  && apt-get install -y --no-install-recommends ca-certificates postgresql-common \
  && /usr/share/postgresql-common/pgdg/apt.postgresql.org.sh -y \
  && apt-get install -y --no-install-recommends postgresql-client-18 \
  && rm -rf /var/lib/apt/lists/* \
  && ln -s /app/bin/swpt-debtors.js /usr/local/bin/swpt-debtors \
  # A new volume that is mounted there belongs to the user below.
  && install -d -o 1000 -g 1000 /var/lib/swpt-nodedata
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY package.json LICENSE ./
COPY deploy/healthcheck.js deploy/healthcheck.js
COPY bin bin
COPY src src
COPY --from=webapp /app/webapp/dist webapp/dist
# The cache of compiled code goes to a folder of the user's own in /tmp.
ENV NODE_ENV=production XDG_CACHE_HOME=/tmp
# The user "node", by number: so Kubernetes can see that it is not root.
USER 1000:1000
EXPOSE 1234 8080 9464
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s CMD ["node", "/app/deploy/healthcheck.js"]
ENTRYPOINT ["node", "/app/bin/swpt-debtors.js"]
CMD ["all"]

# The same with the stand-ins for an accounting authority and an authorization server. NOT FOR PRODUCTION.
FROM app-image AS sandbox-image
USER 0:0
RUN apt-get update \
  && apt-get install -y --no-install-recommends openssl \
  && rm -rf /var/lib/apt/lists/*
COPY --from=sandbox-dependencies /app/node_modules node_modules
COPY deploy/tls deploy/tls
COPY sandbox sandbox
USER 1000:1000

# Swagger UI for the API, on port 8080. Writes to /tmp only. The variables: deploy/README.md.
FROM nginx:1.28-alpine-slim AS swagger-ui-image
COPY --from=dependencies /app/node_modules/swagger-ui-dist /usr/share/swagger-ui
COPY --from=openapi /app/openapi.json /usr/share/swagger-ui/openapi.json
COPY src/http/openapi/swagger-ui/contrast.css src/http/openapi/swagger-ui/exact-answers.js /usr/share/swagger-ui/
COPY deploy/swagger-ui/index.html deploy/swagger-ui/start.js /usr/share/swagger-ui/
COPY deploy/swagger-ui/nginx.conf deploy/swagger-ui/start.sh /etc/swagger-ui/
USER 101:101
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s CMD ["wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8080/health"]
ENTRYPOINT ["/bin/sh", "/etc/swagger-ui/start.sh"]
CMD []
