//! The cost of a fleet compared with a baseline loop in the same run: memory, CPU, requests and
//! trip latency.
//!
//! ```text
//! main ──starts──▶ watcher controller   a thousand breakers
//!   │  ──starts──▶ bench-fleet bare     watches all pods and scales, no cache, no logic
//!   │  ──starts──▶ bench-fleet load     pod status updates
//!   └─ simulates the kubelet, and times each scale to zero
//! ```
//!
//! No node runs the pods of the breakers. Each bar is printed with the measured value; a missed bar
//! does not fail the run.

mod idle;
mod plan;
mod process;
mod requests;
mod subprocesses;
mod trips;
mod workloads;

use std::io::Write;
use std::time::{Duration, Instant};

use bigredbutton_tests::{Cluster, verdict};

use idle::Idle;
use plan::Plan;
use process::Process;
use requests::Requests;
use trips::TripBench;
use workloads::Workloads;

const BAR_MIB: f64 = 40.0;
const BAR_CPU: f64 = 2.0;
const BAR_QUIET: f64 = 2.0;
const BAR_LOADED: f64 = 3.0;

/// How long the API server needs to become idle after a start.
const SETTLE_TIME: Duration = Duration::from_secs(5);

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        [] => measure(Plan::full()).await,
        ["small"] => measure(Plan::small()).await,
        ["bare", prefix] => subprocesses::bare(prefix).await,
        ["load", file, rate] => subprocesses::load(file, rate.parse().expect("a number")).await,
        _ => {
            eprintln!("usage: bench-fleet [small]");
            std::process::exit(2);
        }
    }
}

async fn measure(plan: Plan) {
    let began = Instant::now();
    let cluster = Cluster::connect().await.with_breakers().await;
    let trips_namespace = cluster.test_namespace("trips").await;
    let lease = format!("{}/bench-fleet", trips_namespace.name);
    let most = plan.pods_each.last().copied().unwrap_or_default();
    log(began, &format!("creating {} Deployments", plan.breakers));
    let mut workloads = Workloads::create(&cluster, plan.breakers, most).await;
    let mut steps = Vec::new();
    let mut running = None;
    for &pods_each in plan.pods_each {
        if let Some((controller, bare)) = running.take() {
            Process::stop(controller).await;
            Process::finish(bare).await;
        }
        log(began, &format!("creating pods up to {}, and new breakers", plan.breakers * pods_each));
        workloads.add_pods(pods_each).await;
        workloads.create_breakers().await;
        let bare = Process::role(&cluster, &["bare", trips::BASELINE_PREFIX]);
        let mut controller = Process::controller(&cluster, &lease);
        let started = Instant::now();
        controller.wait_for_lines(plan.breakers).await;
        while workloads.count_closed().await < plan.breakers {
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        let ready_after = started.elapsed();
        log(began, &format!("every breaker watches; idle for {} s", plan.idle.as_secs()));
        tokio::time::sleep(SETTLE_TIME).await;
        steps.push(Idle::measure(&cluster, &plan, workloads.len(), ready_after, &controller, &bare).await);
        running = Some((controller, bare));
    }
    let (controller, bare) = running.expect("a step");
    println!("\nMemory and CPU of {} breakers, idle for {} s", plan.breakers, plan.idle.as_secs());
    let last = idle::table(&steps);
    let (peak, share) = (last.peak_mib(), last.cpu_percent());
    bar(
        &format!(
            "peak memory with {} pods {peak:.1} MiB ({:.2}x the bare loop)",
            workloads.len(),
            last.ratio()
        ),
        &format!("{BAR_MIB} MiB"),
        peak <= BAR_MIB,
    );
    bar(&format!("CPU while idle {share:.2} % of a core"), &format!("{BAR_CPU} %"), share < BAR_CPU);

    log(began, "trips without load");
    let mut trip_bench = TripBench::new(trips_namespace);
    println!("\nTrips beside {} breakers and {} pods, without load", plan.breakers, workloads.len());
    let quiet = trip_bench.compare(plan.trips, Duration::ZERO).await;
    bar(&format!("p50 of a trip {quiet:.2}x the bare loop"), &format!("{BAR_QUIET}x"), quiet <= BAR_QUIET);

    log(began, "trips under load");
    let list = write_pod_list(&workloads);
    let path = list.path().to_str().expect("a path");
    let load = Process::role(&cluster, &["load", path, &plan.updates.to_string()]);
    let before = (controller.usage().cpu, bare.usage().cpu, Instant::now());
    println!("\nTrips under {} pod status updates a second", plan.updates);
    let loaded = trip_bench.compare(plan.trips, plan.loaded).await;
    let seconds = before.2.elapsed().as_secs_f64();
    let busy = (controller.usage().cpu - before.0, bare.usage().cpu - before.1);
    let summary = load.finish().await;
    let (done, took) = summary.split_once(' ').expect("updates and seconds");
    let (done, took): (f64, f64) = (done.parse().expect("a number"), took.parse().expect("a number"));
    let rate = done / took;
    println!(
        "updates reached {rate:.0} a second for {took:.0} s; CPU of the controller {:.1} %, of the bare loop {:.1} % of a core; \
         peak memory of the controller so far {:.1} MiB",
        busy.0.as_secs_f64() * 100.0 / seconds,
        busy.1.as_secs_f64() * 100.0 / seconds,
        controller.usage().peak as f64 / 1024.0,
    );
    let enough = rate >= 0.98 * f64::from(plan.updates);
    bar(&format!("load {rate:.0} updates a second"), &plan.updates.to_string(), enough);
    bar(
        &format!("p50 of a trip {loaded:.2}x the bare loop"),
        &format!("{BAR_LOADED}x"),
        loaded <= BAR_LOADED,
    );

    controller.stop().await;
    log(began, "requests without a controller");
    tokio::time::sleep(SETTLE_TIME * 2).await;
    let before = Requests::now(&cluster);
    tokio::time::sleep(plan.idle).await;
    let without = Requests::now(&cluster).since(&before);
    println!(
        "\nRequests in {} s, {} breakers and {} pods, idle",
        plan.idle.as_secs(),
        plan.breakers,
        workloads.len()
    );
    let others = requests::compare(&cluster, &last.requests, &without);
    bar(&format!("requests beside watches and the lease {others}"), "0", others == 0);

    bare.finish().await;
    trip_bench.delete().await;
    workloads.delete().await;
    println!("\nmeasured in {} s", began.elapsed().as_secs());
}

fn bar(measured: &str, bar: &str, met: bool) {
    println!("{measured}, bar {bar}: {}", verdict(met));
}

/// Prints progress to standard error.
fn log(began: Instant, what: &str) {
    eprintln!("[{:>3} s] {what}", began.elapsed().as_secs());
}

fn write_pod_list(workloads: &Workloads) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    let mut text = String::new();
    for (namespace, name) in workloads.pods() {
        text += &format!("{namespace}/{name}\n");
    }
    file.write_all(text.as_bytes()).expect("the list is written");
    file
}
