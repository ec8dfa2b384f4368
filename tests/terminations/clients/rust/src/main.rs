//! A service that needs one other service to start: `rates LIBRARY [STYLE]`.

use std::error::Error;
use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use anyhow::Context;

type Outcome = Result<(), Box<dyn Error + Send + Sync>>;

const SOON: Duration = Duration::from_secs(3);

fn env(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}

fn call(name: &str) -> Outcome {
    let (host, port, url) = (env("HOST"), env("PORT").parse::<u16>()?, env("URL"));
    let address = format!("{host}:{port}");
    let runtime = tokio::runtime::Runtime::new()?;
    match name {
        "std" => {
            let found = address.to_socket_addrs()?.next().ok_or("no address")?;
            let mut stream = TcpStream::connect_timeout(&found, SOON)?;
            stream.set_read_timeout(Some(SOON))?;
            stream.write_all(b"PING\r\n")?;
            stream.read_exact(&mut [0; 8])?;
        }
        "tokio" => runtime.block_on(async {
            use tokio::io::{AsyncReadExt, AsyncWriteExt};
            let mut stream = tokio::time::timeout(SOON, tokio::net::TcpStream::connect(&address)).await??;
            stream.write_all(b"PING\r\n").await?;
            tokio::time::timeout(SOON, stream.read_exact(&mut [0; 8])).await??;
            Ok::<_, Box<dyn Error + Send + Sync>>(())
        })?,
        "reqwest" => {
            let ca = reqwest::Certificate::from_pem(&std::fs::read(env("CA"))?)?;
            let client = reqwest::blocking::Client::builder().timeout(SOON).add_root_certificate(ca).build()?;
            client.get(url).send()?.error_for_status()?.text()?;
        }
        "ureq" => {
            ureq::AgentBuilder::new().timeout(SOON).build().get(&url).call()?.into_string()?;
        }
        "postgres" => {
            let mut config = postgres::Config::new();
            config.host(&host).port(port).user("app").connect_timeout(SOON);
            config.connect(postgres::NoTls)?;
        }
        "sqlx" => {
            let url = format!("postgres://app@{address}/orders");
            let options = sqlx::postgres::PgPoolOptions::new().acquire_timeout(SOON);
            runtime.block_on(options.connect(&url))?;
        }
        "redis" => {
            let client = redis::Client::open(format!("redis://{address}"))?;
            let mut connection = client.get_connection_with_timeout(SOON)?;
            connection.set_read_timeout(Some(SOON))?;
            redis::cmd("PING").query::<String>(&mut connection)?;
        }
        "lapin" => {
            let uri = format!("amqp://{address}/%2f");
            let connect = lapin::Connection::connect(&uri, Default::default());
            runtime.block_on(async { tokio::time::timeout(SOON, connect).await })??;
        }
        "async-nats" => {
            runtime.block_on(async_nats::ConnectOptions::new().connection_timeout(SOON).connect(&address))?;
        }
        "tonic" => {
            let endpoint = tonic::transport::Endpoint::new(format!("http://{address}"))?.connect_timeout(SOON);
            let channel = runtime.block_on(endpoint.connect())?;
            let mut grpc = tonic::client::Grpc::new(channel);
            runtime.block_on(async move {
                tokio::time::timeout(SOON, grpc.ready()).await??;
                Ok::<_, Box<dyn Error + Send + Sync>>(())
            })?;
        }
        "tungstenite" => {
            let found = address.to_socket_addrs()?.next().ok_or("no address")?;
            let stream = TcpStream::connect_timeout(&found, SOON)?;
            stream.set_read_timeout(Some(SOON))?;
            tungstenite::client(format!("ws://{address}/feed"), stream)?;
        }
        _ => return itself(&env("FAULT")),
    }
    Ok(())
}

fn itself(what: &str) -> Outcome {
    match what {
        "own-listener" => drop(std::net::TcpListener::bind(format!("0.0.0.0:{}", env("PORT")))?),
        "own-certificate" => drop(reqwest::Identity::from_pem(b"none")?),
        "missing-file" => drop(std::fs::read("/etc/rates/config.toml")?),
        "missing-setting" => drop(std::env::var("LEDGER_URL")?),
        "disk-full" => std::fs::write("/dev/full", "x")?,
        "memory" => drop(vec![1_u8; 1 << 46]),
        _ => drop(Vec::<u8>::new()[env("PORT").len()]),
    }
    Ok(())
}

fn main() -> Outcome {
    let arguments: Vec<String> = std::env::args().collect();
    let (name, style) = (arguments[1].as_str(), arguments.get(2).map_or("debug", String::as_str));
    println!("rates 0.3.0 starting");
    match style {
        "debug" => call(name)?,
        "display" => {
            if let Err(e) = call(name) {
                eprintln!("Error: {e}");
                std::process::exit(1);
            }
        }
        "sources" => {
            if let Err(e) = call(name) {
                let mut text = e.to_string();
                let mut source = e.source();
                while let Some(e) = source {
                    text += &format!(": {e}");
                    source = e.source();
                }
                eprintln!("rates: could not start: {text}");
                std::process::exit(1);
            }
        }
        "anyhow" => {
            let outcome = call(name).map_err(|e| anyhow::anyhow!(e)).context("first refresh").context("load rates");
            if let Err(e) = outcome {
                eprintln!("Error: {e:?}");
                std::process::exit(1);
            }
        }
        "eyre" => {
            color_eyre::install()?;
            if let Err(e) = call(name) {
                let report = color_eyre::eyre::eyre!(e).wrap_err("rates could not be loaded");
                eprintln!("Error: {report:?}");
                std::process::exit(1);
            }
        }
        "unwrap" => call(name).unwrap(),
        "expect" => call(name).expect("rates must be loaded at start"),
        "tracing" => {
            tracing_subscriber::fmt().with_ansi(true).init();
            tracing::info!(refresh = 30, "settings read");
            if let Err(e) = call(name) {
                tracing::error!(error = %e, "startup failed");
                std::process::exit(1);
            }
        }
        "json" => {
            tracing_subscriber::fmt().json().init();
            if let Err(e) = call(name) {
                tracing::error!(error = ?e, "startup failed");
                std::process::exit(1);
            }
        }
        "env_logger" => {
            env_logger::Builder::new().filter_level(log::LevelFilter::Info).init();
            log::info!("settings read");
            if let Err(e) = call(name) {
                log::error!("startup failed: {e}");
                std::process::exit(1);
            }
        }
        _ => {
            env_logger::Builder::new().filter_level(log::LevelFilter::Info).init();
            if let Err(e) = call(name) {
                log::warn!("rates not refreshed, using cached ones: {e}");
            }
            log::info!("serving on 0.0.0.0:8080");
            let orders: Option<Vec<u8>> = None;
            println!("{}", orders.unwrap().len());
        }
    }
    Ok(())
}
