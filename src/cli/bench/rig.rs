//! The processes of a bench: the server, unless it is another's, and the worker.

use std::{
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use tempfile::TempDir;
use tutti_client::Client;

use super::{Settings, process};
use crate::{cli::failure::Failure, proto::ListWorkersRequest};

/// More connections than one, as several client processes would have.
const CONNECTIONS_MAX: usize = 4;
/// How long a worker may take to be known to the server.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);
const CONNECT_POLL: Duration = Duration::from_millis(20);

/// A server under measurement with its worker.
#[derive(Debug)]
pub struct Rig {
    server: Option<Served>,
    worker: Option<Part>,
    address: String,
}

/// A server that this bench started.
#[derive(Debug)]
struct Served {
    part: Part,
    data: PathBuf,
    limits: Vec<String>,
    /// Removed last.
    _directory: Option<TempDir>,
}

/// A process that ends with this value.
#[derive(Debug)]
struct Part(Child);

impl Drop for Part {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Rig {
    /// A server and a worker with the bench's agents.
    ///
    /// # Errors
    /// `Failure::Server` when a process does not start, `Failure::Unreachable`.
    pub async fn start(settings: &Settings) -> Result<Self, Failure> {
        let mut rig = Self::without_worker(settings, &[]).await?;
        let worker = part(&["worker", "--address", &rig.address], Stdio::null())?;
        rig.worker = Some(worker);
        rig.await_worker().await?;
        Ok(rig)
    }

    /// A server whose tasks nobody takes, with other limits.
    ///
    /// # Errors
    /// As `start`.
    pub async fn without_worker(settings: &Settings, limits: &[String]) -> Result<Self, Failure> {
        if let Some(address) = &settings.connect {
            return Ok(Self {
                server: None,
                worker: None,
                address: address.clone(),
            });
        }
        let (data, directory) = match &settings.data {
            Some(data) => (data.clone(), None),
            None => {
                let directory = tempfile::Builder::new().prefix("tutti-bench-").tempdir();
                let directory = directory.map_err(io("make a temporary directory"))?;
                (directory.path().join("data"), Some(directory))
            }
        };
        let (part, address) = serve(&data, limits, "127.0.0.1:0")?;
        let server = Served {
            part,
            data,
            limits: limits.to_vec(),
            _directory: directory,
        };
        Ok(Self {
            server: Some(server),
            worker: None,
            address,
        })
    }

    /// Connections for a load of this size.
    ///
    /// # Errors
    /// `Failure::Unreachable`.
    pub async fn clients(&self, concurrency: usize) -> Result<Vec<Client>, Failure> {
        let mut clients = Vec::new();
        for _ in 0..concurrency.clamp(1, CONNECTIONS_MAX) {
            clients.push(Client::connect(&self.address).await?);
        }
        Ok(clients)
    }

    /// Registers a definition.
    ///
    /// # Errors
    /// `Failure::Refused`, `Failure::Unreachable`.
    pub async fn register(&self, source: &str) -> Result<(), Failure> {
        let client = Client::connect(&self.address).await?;
        client.register(source).await?;
        Ok(())
    }

    /// The server's resident memory, where it is known.
    pub fn memory_bytes(&self) -> Option<u64> {
        process::memory_bytes(self.server.as_ref()?.part.0.id())
    }

    /// The most that the server's resident memory has been, where it is known.
    pub fn memory_peak_bytes(&self) -> Option<u64> {
        process::memory_peak_bytes(self.server.as_ref()?.part.0.id())
    }

    /// The processor time the server has used, where it is known.
    pub fn cpu(&self) -> Option<Duration> {
        process::cpu(self.server.as_ref()?.part.0.id())
    }

    /// Kills the server as a crash would, and starts it over its directory, at its address.
    ///
    /// # Errors
    /// `Failure::Usage` for another's server, `Failure::Server`.
    pub fn kill_and_restart(&mut self) -> Result<(), Failure> {
        let address = self.address.clone();
        let served = self.own()?;
        drop(served.part.0.kill());
        drop(served.part.0.wait());
        let (part, _) = serve(&served.data, &served.limits, &address)?;
        served.part = part;
        Ok(())
    }

    /// Stops the server in good order; gives its directory.
    ///
    /// # Errors
    /// `Failure::Usage` for another's server.
    pub async fn stop(&mut self) -> Result<&Path, Failure> {
        self.worker = None;
        let served = self.own()?;
        drop(served.part.0.stdin.take());
        while matches!(served.part.0.try_wait(), Ok(None)) {
            tokio::time::sleep(CONNECT_POLL).await;
        }
        Ok(&served.data)
    }

    fn own(&mut self) -> Result<&mut Served, Failure> {
        let words = "this scenario stops its server: leave --connect out";
        self.server
            .as_mut()
            .ok_or_else(|| Failure::Usage(words.into()))
    }

    /// Waits until the worker serves; a server that tells of no workers is taken at its word.
    async fn await_worker(&self) -> Result<(), Failure> {
        let client = Client::connect(&self.address).await?;
        let known = async {
            loop {
                let request = ListWorkersRequest {
                    agent: "bench-join".into(),
                    ..ListWorkersRequest::default()
                };
                match client.workers().list_workers(request).await {
                    Ok(listed) if listed.get_ref().workers.is_empty() => {}
                    _ => return,
                }
                tokio::time::sleep(CONNECT_POLL).await;
            }
        };
        let waited = tokio::time::timeout(CONNECT_TIMEOUT, known).await;
        waited.map_err(|_| Failure::Server("the worker did not connect".into()))
    }
}

/// Starts a server; gives its address once it listens.
fn serve(data: &Path, limits: &[String], listen: &str) -> Result<(Part, String), Failure> {
    let data = data.display().to_string();
    let mut arguments = vec!["server", "--data", &data, "--listen", listen];
    for limit in limits {
        arguments.extend(["--limit", limit]);
    }
    let mut part = part(&arguments, Stdio::piped())?;
    let mut line = String::new();
    if let Some(out) = part.0.stdout.take() {
        BufReader::new(out)
            .read_line(&mut line)
            .map_err(io("read what the server says"))?;
    }
    match line.trim().strip_prefix("listening on ") {
        Some(address) => Ok((part, address.to_owned())),
        None => Err(Failure::Server(
            "the server did not start, see above".into(),
        )),
    }
}

fn part(arguments: &[&str], stdout: Stdio) -> Result<Part, Failure> {
    let program = std::env::current_exe().map_err(io("find this program"))?;
    let child = Command::new(program)
        .args(["bench", "role"])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(stdout)
        .spawn();
    child.map(Part).map_err(io("start a process"))
}

fn io(context: &'static str) -> impl Fn(std::io::Error) -> Failure {
    move |source| Failure::Io {
        context: context.to_owned(),
        source,
    }
}
