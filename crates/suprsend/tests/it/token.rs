//! User tokens, verified by another implementation than the one that signs them: aws-lc's.

use std::time::{Duration, UNIX_EPOCH};

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, UnparsedPublicKey,
    },
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde_json::{Value, json};
use suprsend::{Error, token::SigningKey};

/// A new key in PEM, and its public half.
fn pair() -> (String, Vec<u8>) {
    let random = SystemRandom::new();
    let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref()).unwrap();
    let base64 = STANDARD.encode(document.as_ref());
    let lines: Vec<_> = base64.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", lines.join("\n"));
    (pem, pair.public_key().as_ref().to_vec())
}

/// The parts of a token that this public key verifies.
fn verified(token: &str, public: &[u8]) -> (Value, Value) {
    let (text, signature) = token.rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, public);
    key.verify(text.as_bytes(), &signature).unwrap();
    let (head, claims) = text.split_once('.').unwrap();
    let read = |part| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
    (read(head), read(claims))
}

#[test]
fn a_token_is_verified_by_another_implementation() {
    let (pem, public) = pair();
    let key = SigningKey::from_pem(pem.as_str()).unwrap();
    let at = UNIX_EPOCH + Duration::from_millis(1_735_689_600_999);
    let token = key.token("jane").issued_at(at).sign().unwrap();
    let (head, claims) = verified(&token, &public);
    assert_eq!(head, json!({"alg": "ES256", "typ": "JWT"}));
    let expected = json!({
        "entity_type": "subscriber", "entity_id": "jane", "iat": 1_735_689_600, "exp": 1_735_693_200,
    });
    assert_eq!(claims, expected);

    let token =
        key.token(42).tenant("acme").expires_in(Duration::from_secs(90)).issued_at(at).sign().unwrap();
    let (_, claims) = verified(&token, &public);
    assert_eq!((&claims["entity_id"], &claims["scope"]), (&json!("42"), &json!({"tenant_id": "acme"})));
    assert_eq!(claims["exp"], 1_735_689_690);

    let other = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, pair().1);
    let (text, signature) = token.rsplit_once('.').unwrap();
    other.verify(text.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap()).unwrap_err();
}

#[test]
fn all_forms_of_a_key() {
    let (pem, public) = pair();
    let forms = [
        pem.clone(),
        format!("\n{pem}\n"),
        pem.trim().replace('\n', "\\n"),
        STANDARD.encode(&pem),
        STANDARD.encode(pem.trim()),
    ];
    for form in forms {
        let key = SigningKey::from_pem(form.as_str()).unwrap();
        verified(&key.token("jane").sign().unwrap(), &public);
        assert_eq!(format!("{key:?} {:?}", key.token("jane")), "SigningKey Token { lifetime: 3600s, .. }");
    }
}

#[test]
fn what_is_no_key_is_refused_without_being_shown() {
    let (pem, _) = pair();
    let cut = pem.replace("-----END PRIVATE KEY-----", "");
    for text in [
        "",
        "secret",
        "c2VjcmV0",
        "-----BEGIN PRIVATE KEY-----\nsecret\n-----END PRIVATE KEY-----",
        cut.as_str(),
    ] {
        let error = SigningKey::from_pem(text).unwrap_err().to_string();
        assert!(error.starts_with("signing_key: is no P-256 key") && !error.contains("secret"), "{error}");
    }
}

#[test]
fn what_cannot_be_signed() {
    let (pem, _) = pair();
    let key = SigningKey::from_pem(pem.as_str()).unwrap();
    let before = UNIX_EPOCH - Duration::from_secs(1);
    let cases = [
        (key.token(""), "distinct_id is empty"),
        (key.token("x".repeat(256)), "distinct_id has more than 255 characters"),
        (key.token("jane").tenant(" "), "tenant_id is empty"),
        (key.token("jane").tenant("x".repeat(65)), "tenant_id has more than 64"),
        (key.token("jane").expires_in(Duration::from_millis(999)), "expires_in is no time"),
        (key.token("jane").expires_in(Duration::MAX), "expires_in is no time"),
        (key.token("jane").issued_at(before), "expires_in is no time"),
    ];
    for (token, expected) in cases {
        let error = token.sign().unwrap_err();
        assert!(matches!(error, Error::InvalidInput(_)));
        assert!(error.to_string().contains(expected), "{error}");
    }
}
