#!/usr/bin/env bash
# Gets Apicurio Registry, a schema registry that speaks Confluent's protocol, with Maven: `fetch.sh FOLDER`.
# Afterwards OPENTAPE_TEST_APICURIO=FOLDER has the tests run against it.
set -euo pipefail

version=3.0.9
folder="$(mkdir -p "$1" && cd "$1" && pwd)"
[ -e "$folder/apicurio-registry-app-$version-runner.jar" ] && exit 0

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
model='xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'

# Some mirrors lack the artifact's parent, of which nothing is needed here: an empty one in a repository of our own stands in for it.
mkdir "$work/parent"
cat >"$work/parent/pom.xml" <<POM
<project $model<groupId>io.apicurio</groupId><artifactId>apicurio-registry</artifactId><version>$version</version>
<packaging>pom</packaging></project>
POM
cat >"$work/pom.xml" <<POM
<project $model<groupId>opentape</groupId><artifactId>servers</artifactId><version>1</version><packaging>pom</packaging>
<dependencies><dependency><groupId>io.apicurio</groupId><artifactId>apicurio-registry-app</artifactId>
<version>$version</version><type>tar.gz</type><classifier>all</classifier></dependency></dependencies></project>
POM
maven() { mvn -B -q "-Dmaven.repo.local=$work/repository" "$@"; }
maven -f "$work/parent/pom.xml" org.apache.maven.plugins:maven-install-plugin:2.5.2:install
maven -f "$work/pom.xml" org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies "-DoutputDirectory=$work/out"
tar -xzf "$work/out/apicurio-registry-app-$version-all.tar.gz" -C "$folder"
