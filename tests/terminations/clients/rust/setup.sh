CARGO_BUILD_JOBS=1 cargo build -q
