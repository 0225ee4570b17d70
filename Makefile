# Tocsin: every command a person needs. `make help` lists them.
#
#   sudo make demo     the main job, visibly, on loopback
#   sudo make check    all tests
#
# Both install what they need from Debian's packages (see `deps`).

MAKEFLAGS += --no-builtin-rules --no-print-directory
.DEFAULT_GOAL := all
.DELETE_ON_ERROR:

BUILD   ?= build
PREFIX  ?= /usr/local
SYSCONF ?= /etc
DESTDIR ?=
CC      ?= gcc
ifeq ($(origin CC),default)
CC := gcc
endif
PKG_CONFIG ?= pkg-config
PYTHON  ?= /usr/bin/python3
# Site tests that run side by side, each site in namespaces of its own.
SITE_JOBS ?= 2
# SAN=address,undefined or SAN=thread builds instrumented (see asan, tsan).
SAN     ?=
WERROR  ?= 1
VERSION := 0.1.0

# ------------------------------------------------------------- packages
# Debian names, bookworm and trixie alike.
BUILD_PACKAGES := gcc libc6-dev make pkg-config libre-dev librem-dev \
	libsndfile1-dev libspeexdsp-dev libconfuse-dev libsqlite3-dev \
	libmicrohttpd-dev libjansson-dev libcurl4-openssl-dev \
	libmosquitto-dev libgpiod-dev libssl-dev libsystemd-dev libcrypt-dev \
	libspandsp-dev libopus-dev libebur128-dev libical-dev libmodbus-dev \
	libexpat1-dev
TEST_PACKAGES := $(BUILD_PACKAGES) libcmocka-dev python3 python3-pytest \
	python3-pytest-xdist python3-numpy python3-scipy python3-paho-mqtt \
	python3-jinja2 python3-dateutil tzdata sip-tester baresip-core \
	kamailio kamailio-tls-modules mosquitto mosquitto-clients ffmpeg iproute2 nftables tcpdump curl openssl \
	rsyslog rsyslog-openssl sqlite3 procps util-linux python3-pymodbus python3-serial \
	python3-serial-asyncio mbpoll socat espeak-ng flite gstreamer1.0-tools \
	gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-libav \
	debian-archive-keyring sipsak sipvicious chromium fonts-dejavu-core \
	python3-jsonschema prometheus
DEMO_PACKAGES := $(BUILD_PACKAGES) python3 iproute2
LINT_PACKAGES := clang-format cppcheck
FUZZ_PACKAGES := $(BUILD_PACKAGES) clang libclang-rt-dev debian-archive-keyring
GPIO_PACKAGES := $(BUILD_PACKAGES) libcmocka-dev linux-source flex bison bc \
	libelf-dev xz-utils python3 iproute2 debian-archive-keyring

# ------------------------------------------------------------ libraries
# pkg-config name : Debian package, in the order of the README's table.
LIBS_WANTED := libre:libre-dev librem:librem-dev sndfile:libsndfile1-dev \
	speexdsp:libspeexdsp-dev libconfuse:libconfuse-dev \
	sqlite3:libsqlite3-dev libmicrohttpd:libmicrohttpd-dev \
	jansson:libjansson-dev libcurl:libcurl4-openssl-dev \
	libmosquitto:libmosquitto-dev libgpiod:libgpiod-dev \
	openssl:libssl-dev libsystemd:libsystemd-dev libcrypt:libcrypt-dev \
	spandsp:libspandsp-dev opus:libopus-dev libebur128:libebur128-dev \
	libical:libical-dev libmodbus:libmodbus-dev expat:libexpat1-dev
lib_names := $(foreach l,$(LIBS_WANTED),$(firstword $(subst :, ,$(l))))

# Goals that need no library installed yet.
NO_LIBS := help deps deps-build deps-demo deps-lint deps-fuzz deps-gpio clean \
	lint uninstall demo check check-gpio bench asan tsan fuzz
goals := $(or $(MAKECMDGOALS),all)
ifneq ($(filter-out $(NO_LIBS),$(goals)),)
missing := $(foreach l,$(LIBS_WANTED),$(shell $(PKG_CONFIG) --exists \
	$(firstword $(subst :, ,$(l))) || echo $(lastword $(subst :, ,$(l)))))
ifneq ($(strip $(missing)),)
$(error missing libraries: install the Debian packages: $(strip $(missing)) \
(or run: sudo make deps))
endif
RE_VERSION := $(shell $(PKG_CONFIG) --modversion libre)
TC_RE_VER := $(shell echo $(RE_VERSION) | \
	awk -F. '{ printf "%d", $$1 * 10000 + $$2 * 100 + $$3 }')
GPIOD_MAJOR := $(shell $(PKG_CONFIG) --modversion libgpiod | cut -d. -f1)
endif

lib_cflags = $(subst -I,-isystem ,$(shell $(PKG_CONFIG) --cflags $(lib_names)))
lib_libs   = $(shell $(PKG_CONFIG) --libs $(lib_names))

warn := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wpointer-arith -Wvla -Wformat=2 -Wundef -Wwrite-strings \
	-Wimplicit-fallthrough -Wno-format-truncation $(if $(filter 1,$(WERROR)),-Werror)
OPT  ?= -O2 -g
hard := -fstack-protector-strong -fPIE -fvisibility=hidden \
	$(if $(SAN),,-D_FORTIFY_SOURCE=2)
san  := $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer \
	-fno-sanitize-recover=all)
cflags = -std=gnu11 $(OPT) $(warn) $(hard) $(san) -I. -D_GNU_SOURCE \
	-DTC_RE_VER=$(TC_RE_VER) -DTOCSIN_VERSION='"$(VERSION)"' \
	$(lib_cflags) -pthread $(CFLAGS)
ldflags = -pie -Wl,-z,relro,-z,now $(san) -pthread $(LDFLAGS)

# ---------------------------------------------------------------- parts
# One archive a part, in the order in which they may depend on each other:
# the link of a unit test fails where an include against the arrow would.
base_src   := $(wildcard controller/base/*.c)
zones_src  := $(wildcard zones/*.c zones/*/*.c)
gpio_src   := $(filter-out gpio/lines_v1.c gpio/lines_v2.c,$(wildcard gpio/*.c gpio/*/*.c)) \
	gpio/lines_v$(GPIOD_MAJOR).c
scheduler_src := $(wildcard scheduler/*.c scheduler/*/*.c)
ctl_src    := $(wildcard web/ctl/*.c)
web_src    := $(wildcard web/*.c)
config_src := $(wildcard controller/config/*.c)
sip_src    := $(wildcard controller/sip/*.c controller/sip/*/*.c)
core_src   := $(filter-out controller/main.c $(base_src) $(config_src) \
	$(wildcard controller/sip/*.c),$(wildcard controller/*.c controller/*/*.c))

parts := core sip config web scheduler gpio zones base
obj = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
define archive
$(BUILD)/lib/$(1).a: $(call obj,$($(1)_src))
	@mkdir -p $$(@D)
	@rm -f $$@
	@ar rcs $$@ $$^
endef
$(foreach p,$(parts),$(eval $(call archive,$(p))))
archives = $(foreach p,$(1),$(BUILD)/lib/$(p).a)

$(BUILD)/obj/%.o: %.c Makefile
	@mkdir -p $(@D)
	@echo "  CC  $<"
	@$(CC) $(cflags) -MMD -MP -c -o $@ $<

# .incbin is not seen by -MMD.
$(BUILD)/obj/web/openapi.o: web/openapi.json
$(BUILD)/obj/web/pages.o: $(wildcard web/ui/*)

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)

link = $(CC) $(ldflags) -o $@ $(filter %.o,$^) -Wl,--start-group \
	$(filter %.a,$^) -Wl,--end-group $(lib_libs) $(LDLIBS) -lm -ldl

all: $(BUILD)/tocsind $(BUILD)/tocsinctl ## build the daemon and its command line

# All of every archive: two parts that define one name are an error, not luck.
$(BUILD)/tocsind: $(BUILD)/obj/controller/main.o $(call archives,$(parts))
	@echo "  LD  $@"
	@$(CC) $(ldflags) -o $@ $(filter %.o,$^) -Wl,--whole-archive \
		$(filter %.a,$^) -Wl,--no-whole-archive $(lib_libs) $(LDLIBS) -lm -ldl

$(BUILD)/tocsinctl: $(call obj,$(ctl_src)) $(call archives,base)
	@echo "  LD  $@"
	@$(link)

# ---------------------------------------------------------------- tests
# tests/unit/PART/test_*.c sees PART and what lies below it.
below_base := base
below_zones := zones base
below_gpio := gpio base
below_scheduler := scheduler base
below_web := web scheduler gpio zones base
below_config := config scheduler gpio zones base
below_sip := sip config gpio zones base
below_controller := $(parts)
unit_src := $(wildcard tests/unit/*/test_*.c) $(wildcard tests/model/test_*.c)
unit_bin := $(patsubst %.c,$(BUILD)/%,$(unit_src))
part_of = $(notdir $(patsubst %/,%,$(dir $(1))))
define unit
$(BUILD)/$(1:.c=): $(call obj,$(1)) $(call archives,$(or $(below_$(call part_of,$(1))),$(parts)))
	@mkdir -p $$(@D)
	@echo "  LD  $$@"
	@$$(link) -lcmocka
endef
$(foreach t,$(unit_src),$(eval $(call unit,$(t))))

# The schedules against an independent implementation: random cases, one seed.
ORACLE_CASES ?= 600
ORACLE_SEED ?= 7
$(BUILD)/tests/oracle/expand: $(call obj,tests/oracle/expand.c) $(call archives,scheduler base)
	@mkdir -p $(@D)
	@echo "  LD  $@"
	@$(link)

oracle: $(BUILD)/tests/oracle/expand ## schedules against python-dateutil, ORACLE_CASES of them
	@BUILD=$(abspath $(BUILD)) ORACLE_CASES=$(ORACLE_CASES) ORACLE_SEED=$(ORACLE_SEED) \
		$(PYTHON) -m pytest -q -p no:cacheprovider tests/oracle

# This one runs it.
$(BUILD)/tests/unit/web/test_ctl: $(BUILD)/tocsinctl

unit: $(unit_bin) ## build and run unit and model tests
	@tests/run-unit $(unit_bin)

deps-build:
	@$(call install_packages,$(BUILD_PACKAGES))
deps: ## install everything that building and testing need (root)
	@$(call install_packages,$(TEST_PACKAGES))
deps-demo:
	@$(call install_packages,$(DEMO_PACKAGES))
deps-lint:
	@$(call install_packages,$(LINT_PACKAGES))
deps-fuzz:
	@$(call install_packages,$(FUZZ_PACKAGES))
deps-gpio:
	@$(call install_packages,$(GPIO_PACKAGES))

# Asks apt only for what dpkg says is missing.
define install_packages
missing=$$(for p in $(1); do \
	dpkg-query -W -f '$${db:Status-Abbrev}' $$p 2>/dev/null | grep -q '^ii' || echo $$p; \
	done); \
if [ -n "$$missing" ]; then \
	if [ "$$(id -u)" != 0 ]; then \
		echo "missing packages, run: sudo apt-get install" $$missing >&2; exit 1; \
	fi; \
	echo "installing:" $$missing; \
	export DEBIAN_FRONTEND=noninteractive; \
	apt-get -q update >/dev/null && \
	apt-get -q -y --no-install-recommends install $$missing >/dev/null; \
fi
endef

check: deps ## all tests: unit, model, site (root)
	@$(MAKE) all unit oracle
	@$(MAKE) site

site: all ## tests in network namespaces with real peers (root)
	@BUILD=$(abspath $(BUILD)) $(PYTHON) -m pytest -q -p no:cacheprovider \
		-n $(SITE_JOBS) tests/site $(PYTEST_ARGS)

demo: deps-demo ## show the main job on loopback (root)
	@$(MAKE) all
	@BUILD=$(abspath $(BUILD)) $(PYTHON) tests/demo.py

# ---------------------------------------------------------------- bench
BENCH_N ?= 1,10,100,500
BENCH_REPS ?= 3
bench_bin := $(patsubst tests/bench/src/%.c,$(BUILD)/bench/%,$(wildcard tests/bench/src/*.c))
$(BUILD)/bench/%: tests/bench/src/%.c
	@mkdir -p $(@D)
	@$(CC) -std=gnu11 -O2 -g -Wall -Wextra -o $@ $< -lm -lpthread

bench: deps ## trigger latency and fan-out beside the bare loop, as ratios (root)
	@$(MAKE) all bench-run

bench-run: $(bench_bin)
	@BENCH_BUILD=$(abspath $(BUILD))/bench BENCH_TOCSIN=$(abspath $(BUILD))/tocsind \
		$(PYTHON) tests/bench/report.py -n $(BENCH_N) --reps $(BENCH_REPS)

asan: deps ## unit and model tests under ASan and UBSan
	@$(MAKE) BUILD=$(BUILD)/asan SAN=address,undefined OPT="-O1 -g" all unit

tsan: deps ## unit and model tests under TSan
	@$(MAKE) BUILD=$(BUILD)/tsan SAN=thread OPT="-O1 -g" all unit

GPIO_VM ?= $(BUILD)/gpio-vm
# The kernel's gpio-sim in user-mode Linux, which is built once (6 to 10 minutes).
check-gpio: deps-gpio ## GPIO lines on a simulated chip in a virtual machine (root)
	@$(MAKE) check-gpio-run

$(BUILD)/tests/gpio-vm/lines_test: $(call obj,tests/gpio-vm/lines_test.c) $(call archives,gpio base)
	@mkdir -p $(@D)
	@echo "  LD  $@"
	@$(link) -lcmocka

# The lines by themselves and the real daemon, with the libgpiod of this Debian
# and with the other major version.
gpio_bins := $(BUILD)/tests/gpio-vm/lines_test $(BUILD)/tocsind
check-gpio-bins: $(gpio_bins)

check-gpio-run: $(gpio_bins)
	@set -e; kernel=$$(tests/gpio-vm/build-kernel $(abspath $(GPIO_VM))); \
	other=$$(tests/gpio-vm/other-libgpiod $(abspath $(GPIO_VM))); \
	PKG_CONFIG_PATH=$$other/pkgconfig $(MAKE) BUILD=$(BUILD)/other-libgpiod check-gpio-bins; \
	for build in $(BUILD) $(BUILD)/other-libgpiod; do \
		bin=$$build/tests/gpio-vm/lines_test; \
		libs=LD_LIBRARY_PATH=$$other/root/usr/lib/$$($(CC) -print-multiarch); \
		[ $$build != $(BUILD) ] || libs=; \
		echo "GPIO with $${libs:+the other }libgpiod: $$build"; \
		tests/gpio-vm/run $$kernel $$bin $$bin $$libs; \
		tests/gpio-vm/run $$kernel $$bin tests/gpio-vm/daemon_test.py \
			DAEMON=$(abspath .)/$$build/tocsind $$libs; \
	done

# tests/fuzz/fuzz_NAME.c has LLVMFuzzerTestOneInput; seeds in tests/fuzz/corpus/NAME.
FUZZ_SECONDS ?= 20
fuzz_src := $(wildcard tests/fuzz/fuzz_*.c)
fuzz_bin := $(patsubst %.c,$(BUILD)/%,$(fuzz_src))
define fuzzer
$(BUILD)/$(1:.c=): $(call obj,$(1)) $(call archives,$(parts))
	@mkdir -p $$(@D)
	@echo "  LD  $$@"
	@$$(link) -fsanitize=fuzzer
endef
$(foreach t,$(fuzz_src),$(eval $(call fuzzer,$(t))))

fuzz: deps-fuzz ## every fuzzer for FUZZ_SECONDS from the corpora in the tree
	@$(MAKE) CC=clang BUILD=$(BUILD)/fuzz SAN=address,undefined,fuzzer-no-link \
		OPT="-O1 -g" WERROR=0 fuzz-run

# libre is built with the sanitizers too; where its source cannot be had, that
# of the system serves, and its own code is not looked into.
fuzz-run: $(fuzz_bin)
	@libre=$$(tests/fuzz/build-libre $(abspath $(BUILD)) 2>$(BUILD)/libre.log) || \
		echo "fuzz: libre as it is installed; see $(BUILD)/libre.log"; \
	export LD_LIBRARY_PATH=$$libre; \
	for f in $(fuzz_bin); do n=$${f##*/fuzz_}; echo "fuzz $$n"; \
		mkdir -p $(BUILD)/new/$$n; \
		$$f -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=1024 \
			-print_final_stats=0 -verbosity=0 \
			$(BUILD)/new/$$n tests/fuzz/corpus/$$n || exit 1; done

lint: deps-lint ## include arrows, format, static checks
	@$(PYTHON) tests/lint/includes.py
	@clang-format --dry-run -Werror $$(git ls-files '*.c' '*.h')
	@cppcheck -q --std=c11 --enable=warning,portability --inline-suppr \
		--library=tests/lint/cppcheck.cfg --error-exitcode=1 -I. \
		controller zones gpio scheduler web

clean: ## remove what was built
	rm -rf $(BUILD)

help: ## list these commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | \
		awk -F ':.*## ' '{ printf "  make %-12s %s\n", $$1, $$2 }'

.PHONY: all unit oracle deps deps-build deps-demo deps-lint deps-fuzz deps-gpio check \
	check-gpio check-gpio-bins check-gpio-run site demo \
	bench bench-run asan tsan fuzz fuzz-run lint clean help

# The user of the service, who is to read the configuration: not in a package.
define service_user
if command -v systemd-sysusers >/dev/null; then \
	systemd-sysusers $(PREFIX)/lib/sysusers.d/tocsin.conf && \
	chgrp tocsin $(SYSCONF)/tocsin/tocsin.conf; \
fi
if [ -d /run/systemd/system ]; then \
	systemctl daemon-reload; \
	udevadm control --reload && udevadm trigger --subsystem-match=gpio; \
	/usr/lib/systemd/systemd-sysctl $(PREFIX)/lib/sysctl.d/60-tocsin.conf; \
fi
endef

install: all ## install below $(DESTDIR)$(PREFIX), configuration in $(SYSCONF)/tocsin
	install -d $(DESTDIR)$(PREFIX)/sbin $(DESTDIR)$(PREFIX)/bin \
		$(DESTDIR)$(PREFIX)/share/man/man1 $(DESTDIR)$(PREFIX)/share/man/man5 \
		$(DESTDIR)$(PREFIX)/share/man/man8 \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions \
		$(DESTDIR)$(PREFIX)/lib/systemd/system \
		$(DESTDIR)$(PREFIX)/lib/sysusers.d $(DESTDIR)$(PREFIX)/lib/udev/rules.d \
		$(DESTDIR)$(PREFIX)/lib/sysctl.d \
		$(DESTDIR)$(PREFIX)/share/tocsin/monitoring \
		$(DESTDIR)$(SYSCONF)/tocsin/conf.d
	install -m 755 $(BUILD)/tocsind $(DESTDIR)$(PREFIX)/sbin/tocsind
	install -m 755 $(BUILD)/tocsinctl $(DESTDIR)$(PREFIX)/bin/tocsinctl
	install -m 644 etc/man/tocsind.8 $(DESTDIR)$(PREFIX)/share/man/man8/
	install -m 644 etc/man/tocsinctl.1 $(DESTDIR)$(PREFIX)/share/man/man1/
	$(BUILD)/tocsind --reference > $(DESTDIR)$(PREFIX)/share/man/man5/tocsin.conf.5
	install -m 644 etc/completion/tocsinctl.bash \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/tocsinctl
	sed 's|/usr/sbin/|$(PREFIX)/sbin/|g' etc/systemd/tocsin.service \
		> $(DESTDIR)$(PREFIX)/lib/systemd/system/tocsin.service
	install -m 644 etc/systemd/tocsin.sysusers \
		$(DESTDIR)$(PREFIX)/lib/sysusers.d/tocsin.conf
	install -m 644 etc/systemd/tocsin.sysctl \
		$(DESTDIR)$(PREFIX)/lib/sysctl.d/60-tocsin.conf
	install -m 644 etc/systemd/tocsin-gpio.rules \
		$(DESTDIR)$(PREFIX)/lib/udev/rules.d/60-tocsin-gpio.rules
	install -m 644 etc/monitoring/* $(DESTDIR)$(PREFIX)/share/tocsin/monitoring/
	install -m 644 etc/conf.d/README $(DESTDIR)$(SYSCONF)/tocsin/conf.d/README
	[ -e $(DESTDIR)$(SYSCONF)/tocsin/tocsin.conf ] || \
		install -m 640 etc/tocsin.conf $(DESTDIR)$(SYSCONF)/tocsin/tocsin.conf
	$(if $(DESTDIR),,$(service_user))

uninstall: ## remove what install put there; the configuration stays
	rm -f $(DESTDIR)$(PREFIX)/sbin/tocsind $(DESTDIR)$(PREFIX)/bin/tocsinctl \
		$(DESTDIR)$(PREFIX)/share/man/man8/tocsind.8 \
		$(DESTDIR)$(PREFIX)/share/man/man1/tocsinctl.1 \
		$(DESTDIR)$(PREFIX)/share/man/man5/tocsin.conf.5 \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/tocsinctl \
		$(DESTDIR)$(PREFIX)/lib/systemd/system/tocsin.service \
		$(DESTDIR)$(PREFIX)/lib/sysusers.d/tocsin.conf \
		$(DESTDIR)$(PREFIX)/lib/sysctl.d/60-tocsin.conf \
		$(DESTDIR)$(PREFIX)/lib/udev/rules.d/60-tocsin-gpio.rules
	rm -rf $(DESTDIR)$(PREFIX)/share/tocsin/monitoring

.PHONY: install uninstall
