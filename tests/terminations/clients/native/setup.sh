export DEBIAN_FRONTEND=noninteractive
need=(gcc libc6-dev libpq-dev libcurl4-openssl-dev libmariadb-dev libhiredis-dev locales-all)
dpkg -s "${need[@]}" >/dev/null 2>&1 || { apt-get update -qq; apt-get install -qy --no-install-recommends "${need[@]}"; }
gcc -O1 -o client client.c -I/usr/include/postgresql -I/usr/include/mariadb -lpq -lcurl -lmariadb -lhiredis
