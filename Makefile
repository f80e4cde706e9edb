# SPDX-License-Identifier: GPL-2.0-only
# The commands of the project; each is a script under scripts/ or tests/.

all: build

help:
	@echo 'make demo      fetch, build and boot; an isolated e1000 survives faults'
	@echo 'make test      everything that proves it'
	@echo 'make           fetch and build the kernel, wrapper modules and tools'
	@echo 'make run       a shell in the test machine (APPEND=driver_fi=e1000:pt)'
	@echo 'make check     layers, sizes, headers, patches, style, inert'
	@echo 'make perf      instructions and crossings per packet'
	@echo 'make bench-dbi speed of translated code on this CPU: build/host/bench.txt, .svg'
	@echo 'make debug     the kernel with lockdep, kmemleak and so on'
	@echo 'make test-debug  that kernel and its boots, which are a step of make test'
	@echo 'make deb       a Debian kernel package (cloud config and DRIVER_FI)'
	@echo 'make deps      install the Debian packages that all this needs'
	@echo 'make clean     remove what was built, not the kernel tree'
	@echo 'make distclean remove build/'

deps:
	@scripts/deps

build: deps
	@scripts/build

debug: deps
	@scripts/build debug

run: build
	@scripts/boot

demo: build
	@scripts/demo

test: deps
	@tests/run

test-debug: deps
	@tests/run debug

check: build
	@scripts/check

perf: build
	@tests/perf/run

bench-dbi: deps
	@scripts/fetch-zydis
	@$(MAKE) --no-print-directory -C tests/host bench

deb: deps
	@scripts/deb

clean:
	rm -rf build/tools build/wrappers* build/initramfs* build/logs

distclean:
	rm -rf build

.PHONY: all help deps build debug run demo test test-debug check perf bench-dbi deb \
	clean distclean
