//! A private Postgres for the demo and the tests: own data directory, own port on 127.0.0.1, gone with its owner.
//!
//! Must never run as root, be reachable from another machine, write a value into its log, or outlive this process.

mod cluster;

use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::{Connection, PgConnection};

use crate::error::wrap;
use crate::{StoreError, StoreErrorKind};
use cluster::Cluster;

const DATABASE: &str = "terrasift";
const BOOTSTRAP: &str = include_str!("../bootstrap.sql");

/// A private cluster with database `terrasift` (not migrated). Dropping it shuts it down and waits for that; if this
/// process is killed, the cluster notices and goes too.
pub struct PrivatePostgres {
    cluster: Cluster,
    /// Roles are the whole cluster's: two bootstraps at once would update the same rows.
    bootstrapping: tokio::sync::Mutex<()>,
    owner_password: String,
    app_password: String,
    auditor_password: String,
}

impl PrivatePostgres {
    /// Starts a cluster in `data_dir` (made when missing, kept afterwards) or in a temporary directory. Started by root
    /// it runs as `postgres` or `nobody`. The roles' passwords are new at each start and live in memory only; the
    /// superuser is reachable through a socket in a directory of mode 0700 alone.
    ///
    /// # Errors
    /// `Setup` when Postgres is not installed, the directory cannot be used, or the cluster does not come up: the log
    /// is `postgres.log` in the data directory.
    pub async fn start(data_dir: Option<PathBuf>) -> Result<Self, StoreError> {
        let cluster = tokio::task::spawn_blocking(move || Cluster::start(data_dir))
            .await
            .map_err(|_| setup("cannot start postgres: the runtime is shutting down"))??;
        let mut private = Self {
            cluster,
            bootstrapping: tokio::sync::Mutex::new(()),
            owner_password: secret()?,
            app_password: secret()?,
            auditor_password: secret()?,
        };
        private.bootstrap().await?;
        Ok(private)
    }

    /// URL of the owner, for [`crate::migrate`]. Holds a password: never log it.
    #[must_use]
    pub fn owner_url(&self) -> String {
        self.url("terrasift_owner", &self.owner_password, DATABASE)
    }

    /// URL of the application role, for [`crate::Store::connect`]. Holds a password: never log it.
    #[must_use]
    pub fn app_url(&self) -> String {
        self.url("terrasift_app", &self.app_password, DATABASE)
    }

    /// URL of the auditor, for [`crate::Auditor::new`]. Holds a password: never log it.
    #[must_use]
    pub fn auditor_url(&self) -> String {
        self.url("terrasift_auditor", &self.auditor_password, DATABASE)
    }

    /// URL of the superuser, in database `terrasift`, through the private socket.
    #[must_use]
    pub fn superuser_url(&self) -> String {
        self.socket_url(DATABASE)
    }

    /// Path of a program of this installation, for example `pg_dump`.
    #[must_use]
    pub fn program(&self, name: &str) -> PathBuf {
        self.cluster.program(name)
    }

    /// Where the cluster logs.
    #[must_use]
    pub fn log_file(&self) -> PathBuf {
        self.cluster.log_file()
    }

    /// Where the cluster keeps its files.
    #[must_use]
    pub fn data_dir(&self) -> &Path {
        self.cluster.data_dir()
    }

    /// Makes one more database (`[a-z0-9_]`, at most 63), not migrated: its owner URL and application URL.
    ///
    /// # Errors
    /// `Invalid` when the name does not fit or is taken.
    pub async fn create_database(&self, name: &str) -> Result<(String, String), StoreError> {
        let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        if !(1..=63).contains(&name.len()) || !name.bytes().all(fits) {
            return Err(StoreError::new(
                StoreErrorKind::Invalid,
                "a database name is 1 to 63 of a-z, 0-9 and _",
            ));
        }
        let _alone = self.bootstrapping.lock().await;
        let mut admin = connect(&self.socket_url("postgres")).await?;
        run(&mut admin, format!("CREATE DATABASE \"{name}\" OWNER terrasift_owner")).await?;
        let _ = admin.close().await;
        let mut admin = connect(&self.socket_url(name)).await?;
        run(&mut admin, BOOTSTRAP.to_owned()).await?;
        let _ = admin.close().await;
        Ok((
            self.url("terrasift_owner", &self.owner_password, name),
            self.url("terrasift_app", &self.app_password, name),
        ))
    }

    /// Kills the server as `kill -9` does, and waits until it is gone. Its files and its port stay for
    /// [`PrivatePostgres::restart`].
    ///
    /// # Errors
    /// `Setup` when it does not run.
    pub fn kill(&mut self) -> Result<(), StoreError> {
        self.cluster.kill()
    }

    /// Kills the server and starts it as on a disk that is full: its files cannot grow beyond 8 MiB. It panics when it needs the
    /// next file of write-ahead log, or does not come up at all, until [`PrivatePostgres::restart`]. Does not wait.
    ///
    /// # Errors
    /// `Setup` when it does not run.
    pub fn restart_on_a_full_disk(&mut self) -> Result<(), StoreError> {
        self.cluster.kill()?;
        self.cluster.restart(true)
    }

    /// Starts a killed server again, and waits until it has recovered and answers. One that runs is shut down first.
    ///
    /// # Errors
    /// `Setup` when it does not come up: the log is `postgres.log` in the data directory.
    pub async fn restart(&mut self) -> Result<(), StoreError> {
        const PATIENCE: Duration = Duration::from_secs(60);
        let deadline = tokio::time::Instant::now() + PATIENCE;
        self.cluster.restart(false)?;
        loop {
            match connect(&self.socket_url("postgres")).await {
                Ok(conn) => return conn.close().await.map_err(wrap("reach the private postgres")),
                Err(error) if tokio::time::Instant::now() > deadline => return Err(error),
                // Backends of the killed server hold its memory for a moment: the new one ends then.
                Err(_) if self.cluster.has_ended() => self.cluster.restart(false)?,
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    /// Its port on the loopback address.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.cluster.port()
    }

    /// Shuts down fast and clean, and waits for it; a temporary data directory goes too.
    pub async fn stop(self) {
        // Shutting down waits in a blocking way, which is what drop does.
        let _ = tokio::task::spawn_blocking(move || drop(self)).await;
    }

    async fn bootstrap(&mut self) -> Result<(), StoreError> {
        let mut admin = self.first_connection().await?;
        run(&mut admin, BOOTSTRAP.to_owned()).await?;
        for (role, password) in [
            ("terrasift_owner", &self.owner_password),
            ("terrasift_app", &self.app_password),
            ("terrasift_auditor", &self.auditor_password),
        ] {
            run(&mut admin, format!("ALTER ROLE {role} PASSWORD '{password}'")).await?;
        }
        let there: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)")
            .bind(DATABASE)
            .fetch_one(&mut admin)
            .await
            .map_err(wrap("look at the private databases"))?;
        let _ = admin.close().await;
        if !there {
            self.create_database(DATABASE).await?;
        }
        Ok(())
    }

    /// Waits until the cluster answers: crash recovery after a kill can take a while.
    async fn first_connection(&mut self) -> Result<PgConnection, StoreError> {
        const PATIENCE: Duration = Duration::from_secs(60);
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            match connect(&self.socket_url("postgres")).await {
                Ok(conn) => return Ok(conn),
                Err(error) if !error.is_transient() || tokio::time::Instant::now() > deadline => {
                    return Err(error);
                }
                Err(_) => self.cluster.keep_trying()?,
            }
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }

    fn url(&self, role: &str, password: &str, database: &str) -> String {
        format!("postgres://{role}:{password}@127.0.0.1:{}/{database}?sslmode=disable", self.cluster.port())
    }

    fn socket_url(&self, database: &str) -> String {
        let (sockets, port) = (self.cluster.socket_dir().display(), self.cluster.port());
        format!("postgres://postgres@localhost:{port}/{database}?host={sockets}")
    }
}

pub(crate) fn setup(what: impl Into<String>) -> StoreError {
    StoreError::new(StoreErrorKind::Setup, what)
}

async fn connect(url: &str) -> Result<PgConnection, StoreError> {
    PgConnection::connect(url).await.map_err(wrap("reach the private postgres"))
}

async fn run(conn: &mut PgConnection, sql: String) -> Result<(), StoreError> {
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql))
        .execute(conn)
        .await
        .map_err(wrap("set the private postgres up"))?;
    Ok(())
}

/// 128 random bits of the system, in hex: needs no quoting in SQL or in a URL.
fn secret() -> Result<String, StoreError> {
    use std::io::Read;
    let mut bytes = [0; 16];
    std::fs::File::open("/dev/urandom")
        .and_then(|mut file| file.read_exact(&mut bytes))
        .map_err(|e| setup(format!("cannot read randomness: {}", e.kind())))?;
    Ok(bytes.iter().map(|b| format!("{b:02x}")).collect())
}
