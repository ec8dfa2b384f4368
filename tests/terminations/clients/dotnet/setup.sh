export DEBIAN_FRONTEND=noninteractive
need=(mono-mcs mono-runtime libmono-system-net-http4.0-cil libmono-2.0-dev ca-certificates-mono)
dpkg -s "${need[@]}" >/dev/null 2>&1 || { apt-get update -qq; apt-get install -qy --no-install-recommends "${need[@]}"; }
mcs -r:System.Net.Http.dll -out:client.exe Client.cs
