# `make run` and `make test` need Python 3.11 or later and make; everything else they install in .venv.

PYTHON ?= $(firstword $(foreach name,python3 python3.14 python3.13 python3.12 python3.11,\
  $(shell $(name) -c 'import sys; print("$(name)") if sys.version_info >= (3, 11) else None' 2>/dev/null)))
BIN := .venv/bin
INSTALLED := .venv/installed
INSTALLED_DEV := .venv/installed-dev
# Not quiet: the first installation takes a while, and is seen to move.
PIP := $(BIN)/python -m pip --disable-pip-version-check

export SCHOOL_PORTAL_HOME ?= ./instance

.PHONY: run install test check bench docs lock audit

run: $(INSTALLED)
	@exec $(BIN)/python -m school_portal.demo

install: $(INSTALLED)

test: $(INSTALLED_DEV)
	$(BIN)/python -m pytest -n 3

check: $(INSTALLED_DEV)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy .
	$(BIN)/lint-imports
	@home=$$(mktemp -d) && trap 'rm -rf "$$home"' EXIT && export SCHOOL_PORTAL_HOME="$$home" \
	  SCHOOL_PORTAL_DATABASE_URL= && $(BIN)/school-portal init && FLASK_APP=wsgi $(BIN)/flask db check

bench: $(INSTALLED_DEV)
	$(BIN)/python -m benchmarks

docs: $(INSTALLED)
	$(BIN)/python docs/workflows.py > docs/workflows.md
	$(BIN)/python docs/routes.py > docs/routes.md

lock: $(INSTALLED_DEV)
	$(BIN)/uv pip compile --quiet $(COMPILE) --extra build setup.cfg -o requirements.txt
	$(BIN)/uv pip compile --quiet $(COMPILE) --extra build --extra dev -c requirements.txt \
	  setup.cfg -o requirements-dev.txt

# Asks api.osv.dev; 1 where something is published against the lock, 2 where it cannot be asked.
audit: $(INSTALLED_DEV)
	@lock=$$(mktemp -d) && trap 'rm -rf "$$lock"' EXIT && \
	  $(BIN)/uv init --quiet --bare --no-workspace --name lock --python '>=3.11' "$$lock" && \
	  $(BIN)/uv add --quiet --project "$$lock" --no-sync -r requirements-dev.txt && \
	  $(BIN)/uv audit --preview-features audit-command --project "$$lock" --frozen; \
	  found=$$?; [ $$found -lt 2 ] || echo "没有核对：查询公布的漏洞需要能访问网络。" >&2; exit $$found

COMPILE := --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
  --custom-compile-command "make lock"

.venv/bin/python:
	@[ -n "$(PYTHON)" ] || { echo "需要 Python 3.11 或更高版本，请先安装，或以 make PYTHON=路径 指定。" >&2; exit 1; }
	@$(PYTHON) -m venv .venv || { rm -rf .venv; \
	  echo "无法建立虚拟环境。Debian 与 Ubuntu 请先安装 python3-venv。" >&2; exit 1; }

$(INSTALLED): requirements.txt setup.cfg pyproject.toml | .venv/bin/python
	@echo "正在安装依赖，首次约需一分钟，以下是逐个下载和安装的进度……" >&2
	@$(PIP) install --require-hashes -r requirements.txt
	@$(PIP) install --no-deps --no-index --no-build-isolation -e .
	@touch $@

$(INSTALLED_DEV): requirements-dev.txt $(INSTALLED)
	@echo "正在安装测试所需的依赖……" >&2
	@$(PIP) install --require-hashes -r requirements-dev.txt
	@touch $@
