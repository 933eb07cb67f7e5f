# Builds the gateway on Debian and leaves only the binary and its libraries in the final image.
FROM debian:12-slim AS build
WORKDIR /src
COPY scripts/setup scripts/setup
COPY package.json package-lock.json .npmrc ./
RUN scripts/setup
COPY . .
RUN make -j"$(nproc)"

# For gateway/deploy: between several gateways and PostgreSQL.
FROM debian:12-slim AS pgbouncer
RUN apt-get update \
 && apt-get install -y --no-install-recommends pgbouncer \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --no-create-home --uid 10002 pool
USER pool
ENTRYPOINT ["pgbouncer", "/etc/pgbouncer/pgbouncer.ini"]

FROM debian:12-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates curl libsecp256k1-1 libcurl4 libjansson4 libmicrohttpd12 \
      libsqlite3-0 libpq5 libnettle8 libsodium23 libzstd1 zlib1g libinih1 \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --home-dir /var/lib/quittance --create-home --uid 10001 quittance
COPY --from=build /src/build/quittance /usr/local/bin/quittance
USER quittance
WORKDIR /var/lib/quittance
VOLUME /var/lib/quittance
# The admin listener stays on loopback inside the container; publish only the public one.
ENV QUITTANCE_API_LISTEN=0.0.0.0:8080 QUITTANCE_CONFIG=/var/lib/quittance/gateway/quittance.conf
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s CMD ["curl", "-fsS", "-o", "/dev/null", "http://127.0.0.1:8080/healthz"]
ENTRYPOINT ["quittance"]
CMD ["serve"]
