# Shortcuts; each is one command that works as well by hand.
.PHONY: run demo test check bench clients

run:            ## Serve on 127.0.0.1:7420, data in ./tutti-data
	cargo run --release -- serve

demo:           ## Start a server with real agents and show three workflows
	cargo run --release -- demo

test:           ## Every test of the workspace
	cargo test --workspace

check:          ## All that CI checks
	.ci/run

bench:          ## Every scenario of `tutti bench`, and its limit; writes docs/benchmarks.md
	TUTTI_BENCH_JSON=$(CURDIR)/target/limit.jsonl cargo bench --bench limit
	cargo run --release -- bench all --output json > target/bench.jsonl
	cargo bench --bench report -- $(CURDIR)/target/limit.jsonl $(CURDIR)/target/bench.jsonl

clients:        ## Generate the Python client's code again from proto/
	python3 -m venv target/generate-venv
	target/generate-venv/bin/pip install --quiet 'grpcio-tools==1.76.0'
	target/generate-venv/bin/python clients/python/generate.py
