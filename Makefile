# SPDX-License-Identifier: GPL-2.0-or-later
# The front door; the work is done by Meson. Everything made goes below $(BUILD).
#
#   make           build the tools                 make test    install what it needs, run every test
#   make demo      install what it needs, show the main job from start to end
#   make bench     measure                         make fuzz    fuzz each target FUZZ_SECONDS long
#   make coverage  build and load every CVE fix of bench/data, write bench/COVERAGE.md; goes on where it was stopped
#   make packages  deb and rpm, below build/packages; ROOT=root.signed goes into them
#   make soak      load and unload live patches SOAK_CYCLES times in a guest that stress-ng keeps busy
#   make install   DESTDIR=, PREFIX=               make deps    install all that any of these needs
#   make clean     remove what was built
#
# Variables: BUILD (build), JOBS (all processors), SUITES (of make test: unit golden cli fuzz vm), SOAK_CYCLES (1000).

BUILD ?= build
PREFIX ?= /usr/local
FUZZ_SECONDS ?= 60
SOAK_CYCLES ?= 1000
JOBS ?= $(shell nproc)
SUITES ?= unit golden cli fuzz vm

RELEASE := $(BUILD)/release
TEST := $(BUILD)/test
FUZZ := $(BUILD)/fuzz
PACKAGE := $(BUILD)/package

export BUILD FUZZ_SECONDS JOBS SUITES

.PHONY: build demo test bench coverage packages soak install fuzz clean deps test-build
.NOTPARALLEL:

build: $(RELEASE)/build.ninja
	ninja -C $(RELEASE) -j $(JOBS)

$(RELEASE)/build.ninja:
	meson setup $(RELEASE) --prefix=$(PREFIX) -Dtests=vm

# The tests of the code run with the sanitizers, the ones in virtual machines with the tools as shipped.
$(TEST)/build.ninja:
	meson setup $(TEST) -Db_sanitize=address,undefined -Db_lundef=false

$(FUZZ)/build.ninja:
	CC=clang meson setup $(FUZZ) -Dfuzzers=true -Db_sanitize=address,undefined -Db_lundef=false

test-build: $(TEST)/build.ninja
	ninja -C $(TEST) -j $(JOBS)

demo:
	scripts/install-deps build kernel vm
	$(MAKE) build
	examples/run-demo

test:
	scripts/install-deps build kernel vm test package
	$(MAKE) build
	$(MAKE) test-build
	$(if $(filter vm,$(SUITES)),$(MAKE) packages)
	@scripts/run-tests

bench:
	scripts/install-deps build kernel vm
	$(MAKE) build
	bench/run

coverage:
	scripts/install-deps build kernel vm
	$(MAKE) build
	bench/run-coverage

soak:
	scripts/install-deps build kernel vm test
	$(MAKE) build
	tests/soak/run --cycles $(SOAK_CYCLES)

$(PACKAGE)/build.ninja:
	meson setup $(PACKAGE) --prefix=/usr --sysconfdir=/etc -Dtests=none

packages:
	scripts/install-deps build package
	$(MAKE) $(PACKAGE)/build.ninja
	ninja -C $(PACKAGE) -j $(JOBS)
	rm -rf $(PACKAGE)/stage
	meson install -C $(PACKAGE) --no-rebuild --quiet --strip --destdir $(abspath $(PACKAGE))/stage
	packaging/build $(PACKAGE)/stage $(BUILD)/packages

install: build
	meson install -C $(RELEASE) --no-rebuild $(if $(DESTDIR),--destdir $(abspath $(DESTDIR)))

fuzz:
	scripts/install-deps build test
	$(MAKE) $(FUZZ)/build.ninja
	ninja -C $(FUZZ) -j $(JOBS) $(patsubst %.c,%,$(wildcard tests/fuzz/fuzz_*.c))
	@scripts/run-fuzz

deps:
	scripts/install-deps build kernel vm test package

clean:
	rm -rf $(BUILD)
