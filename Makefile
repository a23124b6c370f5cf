# The few commands that people type.

.PHONY: run test soak bench fuzz quality quality-audio contract demo

## Builds and starts the product with demo data; prints where to look and how to log in.
run:
	@bash tests/scripts/install.sh run
	@cargo build --release --package seva-server
	@./target/release/seva model
	@command -v initdb >/dev/null || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || ./target/release/seva doctor --fix
	@exec ./target/release/seva serve --demo

## Runs every check and every test.
test:
	@bash tests/scripts/check.sh

## Records for ten minutes in a browser, with cuts and a reload, up to the signed note.
soak:
	@cargo build --workspace --all-targets --quiet
	@SEVA_LONG=1 cargo nextest run --workspace --profile soak -E 'package(seva-tests) and test(/^browser::two_cuts/)'

## Measures the hot paths beside what PostgreSQL and the HTTP stack can do.
bench:
	@bash tests/bench/run.sh

## Fuzzes the readers of JSON, XML, searches and FHIRPath, a minute each.
fuzz:
	@bash tests/fuzz/run.sh

## Measures the extraction on labelled dictations, see docs/quality.md; HALF=develop lists what it missed.
quality:
	@cargo run --quiet --release --workspace --bin quality -- $(or $(HALF),report)

## Measures speech recognition beside plain Whisper on QUALITY_LIMIT spoken dictations (all, if unsaid) with MODEL, as far
## as QUALITY_MINUTES reach; a run that was broken off goes on where it stood.
quality-audio:
	@bash tests/scripts/install.sh quality
	@cargo run --quiet --release --workspace --bin seva -- model $(MODEL)
	@cargo run --quiet --release --workspace --bin quality -- $(or $(HALF),report) $(or $(QUALITY_LIMIT),1000) "$(MODEL)" "$(QUALITY_MINUTES)"

## Prints the contract.
contract:
	@cargo run --quiet --package seva-server -- contract --yaml

## Loads the demo data into the configured database.
demo:
	@cargo run --quiet --package seva-server -- demo
