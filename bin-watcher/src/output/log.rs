//! The program's own log, on stderr: what it does, beside what it tells on stdout.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use crate::cli::format::LogFormat;

/// By `RUST_LOG`, else warnings.
pub(crate) fn init(format: LogFormat) {
    // The client logs each failed request as an error; we tell it ourselves, once and in our words.
    let quiet = ["kube_client=off", "kube_runtime=off"].map(|directive| directive.parse());
    let mut filter = EnvFilter::builder().with_default_directive(LevelFilter::WARN.into()).from_env_lossy();
    if std::env::var_os("RUST_LOG").is_none() {
        for directive in quiet.into_iter().flatten() {
            filter = filter.add_directive(directive);
        }
    }
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
}
