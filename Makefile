# The commands of the house. `make chat` and `make test` set up everything they need, in .venv.

PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
    command -v $$p >/dev/null && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 5001

.PHONY: build chat test unit bench cluster-long asan clean

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

test: build
	$(BIN)/python -m pytest

# Without sockets and browsers: seconds.
unit: build
	$(BIN)/python -m pytest tests/unit tests/protocol tests/oracle

# Everything takes an hour and more; BENCH chooses: make bench BENCH="echo ack --rounds 1 --seconds 1".
BENCH ?= all
bench: build
	$(BIN)/python -m bench $(BENCH)
	$(if $(filter all,$(BENCH)),$(BIN)/python -m bench render)

# Ten thousand events while Redis is killed, restarted and frozen: minutes.
cluster-long: build
	FASTSIO_LONG=1 $(BIN)/python -m pytest tests/cluster/test_faults.py -k ten_thousand

# The compiled code under AddressSanitizer and UBSan; builds into the tree, so build again afterwards.
asan: $(VENV)/.ready
	FASTSIO_BUILD=asan $(BIN)/python setup.py -q build_ext --inplace --force
	LD_PRELOAD="$$(gcc -print-file-name=libasan.so) $$(gcc -print-file-name=libubsan.so)" \
	    PYTHONMALLOC=malloc ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
	    $(BIN)/python -m pytest tests/unit tests/protocol tests/oracle

clean:
	rm -rf build $(VENV) fastsio/*.so fastsio/*/*.so
