//! How hubs start and end.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use serde_json::json;
use suprsend_mock::{Fault, Hub};

use crate::{Result, client, request, upsert};

#[tokio::test]
async fn dropping_the_hub_stops_it_and_ends_its_connections() -> Result {
    let hub = Hub::start().await?;
    let url = hub.url().to_owned();
    let client = client();
    // Leaves a connection in the client's pool.
    assert_eq!(client.get(&url).send().await?.status(), 404);
    drop(hub);
    tokio::task::yield_now().await;
    assert!(client.get(&url).send().await.is_err());
    assert!(crate::client().get(&url).send().await.is_err());
    Ok(())
}

#[tokio::test]
async fn hubs_share_nothing() -> Result {
    let (one, other) = (Hub::start().await?, Hub::start().await?);
    upsert(&one, "u", &json!({})).await?;
    assert!(one.profile("u").is_some());
    assert_eq!(other.profile("u"), None);
    assert_ne!(one.url(), other.url());
    Ok(())
}

#[tokio::test]
async fn stopping_cuts_delays_short() -> Result {
    let hub = Hub::start().await?;
    hub.inject(Fault::delay(Duration::from_secs(3600)))?;
    let waiting = tokio::spawn(request(&hub, "u", &json!({})).send());
    while !hub.faults().is_empty() {
        tokio::task::yield_now().await;
    }
    hub.stop().await;
    assert!(waiting.await?.is_err());
    Ok(())
}

#[tokio::test]
async fn seeds_are_there_from_the_start_and_after_a_reset() -> Result {
    let hub = Hub::builder().seed("user-1", json!({"$email": ["a@example.com"]})).start().await?;
    hub.seed("user-2", json!({"plan": "pro"}))?;
    upsert(&hub, "user-1", &json!({"plan": "pro"})).await?;
    hub.inject(Fault::status(500))?;
    hub.reset();
    assert_eq!(hub.profile("user-1").ok_or("no seed")?["properties"], json!({}));
    assert_eq!(hub.profile("user-2"), None);
    assert!(hub.requests().is_empty());
    assert_eq!(upsert(&hub, "user-1", &json!({})).await?.status(), 201);
    Ok(())
}

#[tokio::test]
async fn a_seed_is_judged_as_an_upsert() -> Result {
    let error = Hub::builder().seed("u", json!({"$email": "x"})).start().await.err().ok_or("it started")?;
    assert!(error.to_string().starts_with("u: $email: "), "{error}");
    let hub = Hub::start().await?;
    let refused = hub.seed(" ", json!({})).err().ok_or("it was taken")?;
    assert_eq!(refused.to_string(), " : distinct_id: is blank");
    Ok(())
}

#[test]
fn a_hub_on_a_thread_needs_no_runtime() -> Result {
    let hub = Hub::builder().start_on_thread()?;
    let address = hub.url().strip_prefix("http://").ok_or("no address")?;
    let mut connection = TcpStream::connect(address)?;
    write!(
        connection,
        "POST /v1/user/u/ HTTP/1.1\r\nHost: hub\r\nConnection: close\r\nContent-Length: 0\r\nAuthorization: Bearer {}\r\n\r\n",
        hub.key()
    )?;
    let mut response = String::new();
    connection.read_to_string(&mut response)?;
    assert!(response.starts_with("HTTP/1.1 201 "), "{response}");
    assert!(hub.profile("u").is_some());
    Ok(())
}

#[tokio::test]
async fn an_address_that_is_taken_is_an_error() -> Result {
    let hub = Hub::start().await?;
    let port = hub.url().rsplit(':').next().ok_or("no port")?.parse()?;
    assert!(Hub::builder().port(port).start().await.is_err());
    assert!(Hub::builder().port(port).start_on_thread().is_err());
    Ok(())
}
