//! A success whose body says that it is none.

use serde_json::{Value, json};
use suprsend::{Client, Error, Method, Operation};
use suprsend_api::{Base, Credential, Format, RequestError, Spec, Verdict, parameter};

use crate::server::{Server, json};

/// Saves a draft, and commits it if that is asked for.
#[derive(Clone)]
struct Save {
    commit: Option<bool>,
}

impl Operation for Save {
    const SPEC: &'static Spec = &Spec::new("save", Method::POST, "/draft/")
        .bearer()
        .verdict(Verdict::new(&["result", "is_valid"], &["result", "errors"]).asked_by("commit"));
    type Body = ();
    type Response = Value;
    type Refusal = Value;

    fn request(&self, base: &Base) -> Result<reqwest::Request, RequestError> {
        let mut request = base.request(Self::SPEC, &[])?;
        parameter::query(&mut request, "commit", &self.commit)?;
        Ok(request)
    }
}

/// Commits what was saved.
#[derive(Clone)]
struct Commit;

impl Operation for Commit {
    const SPEC: &'static Spec = &Spec::new("commit", Method::PATCH, "/draft/commit/")
        .bearer()
        .verdict(Verdict::new(&["result", "is_valid"], &["result", "errors"]));
    type Body = ();
    type Response = Value;
    type Refusal = Value;

    fn request(&self, base: &Base) -> Result<reqwest::Request, RequestError> {
        base.request(Self::SPEC, &[])
    }
}

async fn sent<O: Operation>(operation: O, body: Value) -> Result<O::Response, Error> {
    let server = Server::start([json(201, body)]).await;
    let result = server.client().call(operation).await;
    assert_eq!(server.requests(), 1, "it has taken effect, so it is not repeated");
    result.map(suprsend::Response::into_inner)
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn a_success_is_one_only_where_the_body_says_so() {
    let valid = json!({"result": {"is_valid": true}});
    let invalid =
        json!({"result": {"is_valid": false, "errors": ["no template", {"node": 3}]}, "test-key": 1});
    for commit in [None, Some(false)] {
        assert_eq!(sent(Save { commit }, invalid.clone()).await.unwrap(), invalid, "a draft may have errors");
    }
    assert_eq!(sent(Save { commit: Some(true) }, valid.clone()).await.unwrap(), valid);
    assert_eq!(sent(Commit, valid.clone()).await.unwrap(), valid);

    for result in [sent(Save { commit: Some(true) }, invalid.clone()).await, sent(Commit, invalid).await] {
        let error = result.unwrap_err();
        let Error::InvalidDraft(draft) = &error else { panic!("{error:?}") };
        assert_eq!(draft.reasons(), [json!("no template"), json!({"node": 3})]);
        let said = "the draft was saved but not committed, since it has errors: no template; {\"node\":3}";
        assert_eq!(error.to_string(), said);
        assert_eq!((error.kind().as_str(), error.is_retryable()), ("invalid_draft", false));
        assert_eq!((error.status().unwrap().as_u16(), error.request_id()), (201, Some("request-1")));
    }
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn a_commit_that_was_asked_for_and_is_not_spoken_of_is_none() {
    for body in [json!({}), json!({"result": null}), json!({"result": {"is_valid": "yes"}})] {
        let error = sent(Save { commit: Some(true) }, body.clone()).await.unwrap_err();
        let Error::UndecodableResponse(_) = &error else { panic!("{error:?}") };
        assert!(
            error.to_string().contains("does not say whether it was done, in `result.is_valid`"),
            "{error}"
        );
        // Where nothing else can have been asked for, the status is enough.
        assert_eq!(sent(Commit, body.clone()).await.unwrap(), body);
    }
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn reasons_that_echo_the_key_do_not_show_it() {
    let reasons =
        json!({"result": {"is_valid": false, "errors": ["test-key is no header", {"a": "test-key"}]}});
    let error = sent(Commit, reasons).await.unwrap_err();
    let shown = format!("{error} {error:?} {error:#}");
    assert!(!shown.contains("test-key") && shown.contains("[redacted] is no header"), "{shown}");
    let many: Vec<_> = (0..60).map(|index| format!("error {index}\nx")).collect();
    let error = sent(Commit, json!({"result": {"is_valid": false, "errors": many}})).await.unwrap_err();
    assert!(error.to_string().ends_with("; and 50 more") && !error.to_string().contains('\n'), "{error}");
}

/// A scheme that the SDK has no key for.
#[derive(Clone)]
struct Foreign;

impl Operation for Foreign {
    const SPEC: &'static Spec = &Spec::new("foreign", Method::GET, "/a/")
        .credential(Credential::Scheme("Other"))
        .response(Format::Empty);
    type Body = ();
    type Response = ();
    type Refusal = Value;

    fn request(&self, base: &Base) -> Result<reqwest::Request, RequestError> {
        base.request(Self::SPEC, &[])
    }
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn a_scheme_without_a_key_is_refused_before_anything_is_sent() {
    let server = Server::start([json(200, json!({}))]).await;
    let client: Client = server.client();
    let error = client.call(Foreign).await.unwrap_err();
    assert_eq!(error.to_string(), "api_key: is not the credential that the operation demands");
    assert_eq!(server.requests(), 0);
}
