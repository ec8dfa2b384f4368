export DEBIAN_FRONTEND=noninteractive
need=(nginx-light haproxy redis-server prometheus prometheus-alertmanager postgresql)
for package in "${need[@]}"; do
    dpkg -s "$package" >/dev/null 2>&1 || { apt-get update -qq; apt-get install -qy --no-install-recommends -o Dpkg::Options::=--force-confold "${need[@]}"; break; }
done
