# pi-netboot-server in a container. It needs the host's network: DHCP is broadcast, and NFS and TFTP answer from the host's
# address. `compose.yaml` says how it is run.
#
# Where no registry can be reached, both bases can be others: BASE is a Debian with ca-certificates, or nothing more than that
# and what is installed below; BUILD_BASE has Node 20 or newer with its npm.
ARG BUILD_BASE=docker.io/library/node:24-bookworm-slim
ARG BASE=docker.io/library/debian:bookworm-slim

FROM ${BUILD_BASE} AS manifests
WORKDIR /app
COPY package.json package-lock.json ./
COPY api/package.json api/
COPY server/package.json server/
COPY simulator/package.json simulator/
COPY web/package.json web/

# The page, which Vite builds; nothing of what it takes to build it comes along.
FROM manifests AS page
RUN npm ci --no-audit --no-fund --prefer-offline --loglevel=error
COPY . .
RUN node tools/build.mjs

# What the server needs, its own runtime among it.
FROM manifests AS modules
RUN npm ci --omit=dev --include-workspace-root --workspace api --workspace server --workspace simulator \
	--no-audit --no-fund --prefer-offline --loglevel=error

FROM ${BASE}
# Images come packed, the neighbour table is read and kept with `ip`, and the runtime is linked with libatomic.
ARG PACKAGES="xz-utils zstd iproute2 libatomic1"
RUN if ! dpkg --status $PACKAGES > /dev/null 2>&1; then \
		apt-get update -q && apt-get install -q -y --no-install-recommends $PACKAGES && rm -rf /var/lib/apt/lists/*; \
	fi
WORKDIR /app
COPY --from=modules /app/node_modules node_modules
COPY package.json LICENSE ./
COPY agent agent
COPY api api
COPY server server
COPY simulator simulator
COPY tools/container tools/container
COPY --from=page /app/web/dist web/dist
ENV PATH=/app/tools/container:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin IMAGES_DIR=/images DATA_DIR=/data
# What a person is told to do is done on the host.
ENV PI_NETBOOT_CONTAINER=yes
# Compiled once, here: each start is quicker, and has no compiler in its memory (20 MB).
ENV NODE_COMPILE_CACHE=/app/.cache
RUN pi-netboot version
VOLUME /images /data
EXPOSE 67/udp 69/udp 111/tcp 111/udp 2049/tcp 6666/udp 38434/tcp
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
	CMD ["/app/node_modules/.bin/node", "/app/tools/container/health.mjs"]
ENTRYPOINT ["pi-netboot"]
CMD ["serve"]
