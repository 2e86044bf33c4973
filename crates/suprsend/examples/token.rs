//! Creates a user token for the inbox or a preference page, and shows its content.

use std::{error::Error, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use suprsend::token::SigningKey;

/// A key for this example only. A real program reads its workspace's key from an environment variable or a vault.
const KEY: &str = "-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgevZzL1gdAFr88hb2
OF/2NxApJCzGCEDdfSp6VQO30hyhRANCAAQRWz+jn65BtOMvdyHKcvjBeBSDZH2r
1RTwjmYSi9R/zpBnuQ4EiMnCqfMPWiZqB4QdbAd0E7oH50VpuZ1P087G
-----END PRIVATE KEY-----";

fn main() -> Result<(), Box<dyn Error>> {
    let key = SigningKey::from_pem(std::env::var("SUPRSEND_SIGNING_KEY").unwrap_or_else(|_| KEY.to_owned()))?;
    let token = key.token("user-123").tenant("acme").expires_in(Duration::from_secs(15 * 60)).sign()?;
    for (part, what) in token.split('.').zip(["head", "claims"]) {
        println!("{what}: {}", String::from_utf8(URL_SAFE_NO_PAD.decode(part)?)?);
    }
    println!("hand this to the user's browser: {token}");
    Ok(())
}
