# Builds the gateway on Debian and leaves only the binary and its libraries in the final image.
ARG BASE=debian:12-slim
FROM ${BASE} AS build
WORKDIR /src
COPY scripts/setup scripts/setup
COPY package.json package-lock.json .npmrc ./
RUN scripts/setup --build
COPY . .
RUN make -j"$(nproc)"

# For gateway/deploy: between several gateways and PostgreSQL.
FROM ${BASE} AS pgbouncer
RUN apt-get update \
 && apt-get install -y --no-install-recommends pgbouncer \
 && rm -rf /var/lib/apt/lists/* \
 && groupadd --gid 10002 pool \
 && useradd --no-create-home --uid 10002 --gid pool pool
USER pool
ENTRYPOINT ["pgbouncer", "/etc/pgbouncer/pgbouncer.ini"]

FROM ${BASE}
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates curl libsecp256k1-1 libcurl4 libjansson4 libmicrohttpd12 \
      libsqlite3-0 libpq5 libnettle8 libsodium23 libzstd1 zlib1g libinih1 \
 && rm -rf /var/lib/apt/lists/* \
 && groupadd --gid 10001 quittance \
 && useradd --home-dir /var/lib/quittance --create-home --skel /nonexistent --uid 10001 --gid quittance quittance \
 && install -d -o quittance -g quittance /archive
COPY --from=build /src/build/quittance /usr/local/bin/quittance
USER quittance
WORKDIR /var/lib/quittance
# A new volume takes its owner from the folder here.  Batches of more than some 30 000 receipts are sorted in /var/tmp: that must be
# writable where the root is not.
VOLUME ["/var/lib/quittance", "/archive", "/var/tmp"]
# The admin listener stays on loopback inside the container; publish only the public one.
ENV QUITTANCE_API_LISTEN=0.0.0.0:8080 QUITTANCE_CONFIG=/var/lib/quittance/gateway/quittance.conf
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s CMD ["curl", "-fsS", "-o", "/dev/null", "http://127.0.0.1:8080/healthz"]
ENTRYPOINT ["quittance"]
CMD ["serve"]
