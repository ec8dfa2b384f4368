command -v mvn >/dev/null || { apt-get update -qq; DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends maven openjdk-17-jdk-headless; }
mvn -q -B compile dependency:copy-dependencies -DoutputDirectory=target/lib
