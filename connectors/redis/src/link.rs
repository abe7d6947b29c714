//! The connection to Redis: made when it is needed, thrown away at the first doubt.
//!
//! A doubtful connection may still deliver what its caller has given up; calls carry a sequence, so that the script drops
//! those. Must never show an address: it can hold a password.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, Cmd, Script, Value};
use tokio::sync::Mutex;

use crate::script::{Answer, Call, Caller, SOURCE};

/// Longest wait for an answer in production, a connection included where there is none.
pub const ANSWER_WAIT_MAX: Duration = Duration::from_millis(100);

/// Redis has not answered, or not in a way that can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NoAnswer;

/// Redis has answered that it will not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// What stands under the key is not of the kind that was asked for.
    WrongType,
}

/// The address of Redis cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the redis address is not redis://[user:password@]host[:port][/database], rediss:// or unix://")]
pub struct BadAddress;

#[derive(Clone)]
struct Connected {
    connection: MultiplexedConnection,
    /// Which start of which server this is.
    run: Arc<str>,
    number: u64,
}

/// The connection, or none.
pub(crate) struct Link {
    client: RwLock<Client>,
    script: Script,
    answer_wait_max: Duration,
    connected: Mutex<(Option<Connected>, u64)>,
}

impl Link {
    pub(crate) fn new(address: &str, answer_wait_max: Duration) -> Result<Self, BadAddress> {
        let client = Client::open(address).map_err(|_| BadAddress)?.into();
        Ok(Self { client, script: Script::new(SOURCE), answer_wait_max, connected: Mutex::default() })
    }

    /// Connects so from now on. The connection that there is stays: Redis asks for a password once.
    pub(crate) fn take_address(&self, address: &str) -> Result<(), BadAddress> {
        let client = Client::open(address).map_err(|_| BadAddress)?;
        *self.client.write().unwrap_or_else(PoisonError::into_inner) = client;
        Ok(())
    }

    /// Calls the script once, in time or not at all.
    pub(crate) async fn call(&self, caller: &Caller, call: &Call) -> Result<Answer, NoAnswer> {
        self.in_time(|mut connection, run| async move {
            let invocation = caller.invocation(&self.script, &run, call);
            let numbers: Vec<i64> = invocation.invoke_async(&mut connection).await.map_err(|_| NoAnswer)?;
            Answer::parse(&numbers).ok_or(NoAnswer)
        })
        .await
    }

    /// Sends a command once, in time or not at all. A server that answers with an error has answered: its code.
    pub(crate) async fn command(&self, command: &Cmd) -> Result<Result<Value, Refusal>, NoAnswer> {
        self.in_time(|mut connection, _| async move {
            match command.query_async::<Value>(&mut connection).await {
                Ok(value) => Ok(Ok(value)),
                Err(error) => match error.code() {
                    Some("WRONGTYPE") => Ok(Err(Refusal::WrongType)),
                    _ => Err(NoAnswer),
                },
            }
        })
        .await
    }

    /// Does something with a connection, in time or not at all. What fails makes the connection doubtful.
    async fn in_time<T, F>(
        &self,
        work: impl FnOnce(MultiplexedConnection, Arc<str>) -> F,
    ) -> Result<T, NoAnswer>
    where
        F: Future<Output = Result<T, NoAnswer>>,
    {
        let mut used = None;
        let whole = async {
            let connected = self.connected().await?;
            used = Some(connected.number);
            work(connected.connection, connected.run).await
        };
        let answer = tokio::time::timeout(self.answer_wait_max, whole).await.unwrap_or(Err(NoAnswer));
        if answer.is_err()
            && let Some(number) = used
        {
            self.doubt(number).await;
        }
        answer
    }

    async fn connected(&self) -> Result<Connected, NoAnswer> {
        let mut slot = self.connected.lock().await;
        if let (Some(connected), _) = &*slot {
            return Ok(connected.clone());
        }
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.answer_wait_max))
            .set_response_timeout(Some(self.answer_wait_max));
        let client = self.client.read().unwrap_or_else(PoisonError::into_inner).clone();
        let connection = client.get_multiplexed_async_connection_with_config(&config).await;
        let mut connection = connection.map_err(|_| NoAnswer)?;
        // Without the right to ask, a failover is noticed by its gap only.
        let info: String =
            redis::cmd("INFO").arg("server").query_async(&mut connection).await.unwrap_or_default();
        let run = info.lines().find_map(|line| line.strip_prefix("run_id:")).unwrap_or_default();
        slot.1 += 1;
        let connected = Connected { connection, run: run.trim().into(), number: slot.1 };
        slot.0 = Some(connected.clone());
        Ok(connected)
    }

    /// Throws the connection away, unless somebody did and there is a newer one.
    async fn doubt(&self, number: u64) {
        let mut slot = self.connected.lock().await;
        if slot.0.as_ref().is_some_and(|connected| connected.number == number) {
            slot.0 = None;
        }
    }
}
