export DEBIAN_FRONTEND=noninteractive
need=(perl libwww-perl liblwp-protocol-https-perl libdbd-pg-perl libdbd-mysql-perl libredis-perl libio-socket-ssl-perl)
dpkg -s "${need[@]}" >/dev/null 2>&1 || { apt-get update -qq; apt-get install -qy --no-install-recommends "${need[@]}"; }
