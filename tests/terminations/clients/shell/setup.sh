# Everything here is a Debian package.
export DEBIAN_FRONTEND=noninteractive
need=(curl wget netcat-openbsd postgresql-client redis-tools mariadb-client openssl git openssh-client locales-all)
dpkg -s "${need[@]}" >/dev/null 2>&1 || { apt-get update -qq; apt-get install -qy --no-install-recommends "${need[@]}"; }
