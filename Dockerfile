# The gateway as an image: docker build -t postern .
# README.md, "In a container", says how to run it. Needs no BuildKit.

# Anything with npm; with g++, make and python3 it builds faster, else the installation fetches them.
ARG BUILD_IMAGE=node:24-bookworm
# Anything with glibc and libstdc++. It needs no Node: package-lock.json brings the one we test with.
ARG BASE_IMAGE=debian:bookworm-slim

FROM ${BUILD_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY scripts scripts
RUN npm ci --include=dev --include=optional --no-progress --loglevel=error
COPY tsconfig.json tsconfig.build.json ./
COPY bin bin
COPY src src
RUN sh scripts/build.sh && npm prune --omit=dev --ignore-scripts --no-progress --loglevel=error

FROM ${BASE_IMAGE}
RUN useradd --uid 2222 --user-group --no-create-home --home-dir /data --shell /usr/sbin/nologin postern \
  && install -d -o postern -g postern -m 0700 /data /hostkeys \
  && ln -s /app/bin/postern /usr/local/bin/postern
COPY --from=build /app/package.json /app/package.json
COPY --from=build /app/bin /app/bin
COPY --from=build /app/scripts/find-node.sh /app/scripts/find-node.sh
COPY --from=build /app/node_modules /app/node_modules
COPY --from=build /app/dist /app/dist

# Health is served inside the container only.
ENV POSTERN_DATA_DIR=/data \
    POSTERN_HOST_KEYS_DIR=/hostkeys \
    POSTERN_HEALTH_LISTEN=127.0.0.1:8081
WORKDIR /data
USER 2222:2222
VOLUME ["/data", "/hostkeys"]
EXPOSE 2222
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s --retries=3 CMD \
  ["/app/node_modules/.bin/node", "-e", "fetch('http://127.0.0.1:' + process.env.POSTERN_HEALTH_LISTEN.split(':').pop() + '/healthz').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["postern"]
