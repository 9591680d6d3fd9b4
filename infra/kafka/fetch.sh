#!/usr/bin/env bash
# Gets Apache Kafka with Kafka Connect, with Maven: `fetch.sh FOLDER`.
# Afterwards OPENTAPE_TEST_KAFKA=FOLDER has the tests run against real brokers.
set -euo pipefail

version=4.1.1
folder="$(mkdir -p "$1" && cd "$1" && pwd)"
[ -e "$folder/kafka-clients-$version.jar" ] && [ -e "$folder/connect-runtime-$version.jar" ] && exit 0

command -v mvn >/dev/null 2>&1 || { echo 'Maven is missing (`mvn` does not run); it brings Apache Kafka' >&2; exit 1; }
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

artifact() { echo "<dependency><groupId>$1</groupId><artifactId>$2</artifactId><version>$3</version></dependency>"; }
cat >"$work/pom.xml" <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>opentape</groupId><artifactId>kafka</artifactId><version>1</version><packaging>pom</packaging>
<dependencies>
$(artifact org.apache.kafka kafka_2.13 "$version")
$(artifact org.apache.kafka kafka-tools "$version")
$(artifact org.apache.kafka connect-runtime "$version")
$(artifact org.apache.kafka connect-json "$version")
$(artifact org.apache.logging.log4j log4j-slf4j-impl 2.24.3)
</dependencies></project>
POM
mvn -B -q -f "$work/pom.xml" org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies \
  -DincludeScope=runtime "-DoutputDirectory=$work/out"
# The whole set or nothing: an interrupted run is done again.
mv "$work"/out/*.jar "$folder/"
