//! The limit: hyper's own connections, a body written by hand, a response that nobody decodes.

use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{
    Request, StatusCode,
    client::conn::http1::{SendRequest, handshake},
    header,
};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::KEY;
use crate::workload::{LOCALE, PLAN, TIMEZONE, User};

/// Connections that are open and unused.
pub struct Client {
    address: String,
    idle: Mutex<Vec<SendRequest<Full<Bytes>>>>,
}

impl Client {
    /// A client of the server at this address, without connections.
    pub fn new(address: &str) -> Self {
        Self { address: address.to_owned(), idle: Mutex::default() }
    }

    /// Upserts a user.
    pub async fn upsert(&self, user: User) -> Result<()> {
        let User { id, email, phone, seats } = user;
        let body = format!(
            r#"{{"$email":["{email}"],"$locale":"{LOCALE}","$sms":["{phone}"],"$timezone":"{TIMEZONE}","plan":"{PLAN}","seats":{seats}}}"#
        );
        let request = Request::post(format!("/v1/user/{id}/"))
            .header(header::HOST, &self.address)
            .header(header::AUTHORIZATION, format!("Bearer {KEY}"))
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body)))?;
        let mut connection = match self.take() {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        connection.ready().await?;
        let response = connection.send_request(request).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        if status != StatusCode::CREATED || body.is_empty() {
            bail!("{status}");
        }
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        Ok(())
    }

    fn take(&self) -> Option<SendRequest<Full<Bytes>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>> {
        let stream = TcpStream::connect(&self.address).await.context("cannot connect")?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(sender)
    }
}
