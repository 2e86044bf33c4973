//! A hub in which everything is there that the document's examples speak of.

use std::{collections::BTreeMap, pin::Pin, sync::Mutex, time::Duration};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};
use suprsend::{Client, Error, Operation, RetryPolicy, operations};
use suprsend_api::Visitor;
use suprsend_mock::Hub;

use super::described::{Described, Example};

/// A hub, and how what the examples need comes to be there: by the operations that the document has for it.
pub(super) struct Furnished {
    pub(super) hub: Hub,
    pub(super) operations: Vec<Described>,
    http: suprsend::reqwest::Client,
    /// What an example needs beside what the upserts make, by operation and example.
    needed: Mutex<BTreeMap<(String, String), Vec<String>>>,
}

/// A call that is prepared; how many attempts it took.
pub(super) type Called = Pin<Box<dyn Future<Output = Result<u32, Error>>>>;

/// Calls an operation that is only known by its id.
struct Calling {
    client: Client,
    arguments: Value,
}

impl Visitor for Calling {
    type Output = Result<Called, serde_json::Error>;

    fn visit<O: Operation + Clone + Serialize + DeserializeOwned>(self) -> Self::Output {
        let operation: O = serde_json::from_value(self.arguments.clone())?;
        // Nothing of it is passed over, but for null, which is the same to the types as what is left out.
        assert_eq!(serde_json::to_value(&operation)?, without_nulls(self.arguments), "{}", O::SPEC.id);
        let call = self.client.call(operation);
        Ok(Box::pin(async move { call.await.map(|response| response.attempts()) }))
    }
}

impl Furnished {
    pub(super) async fn start() -> Self {
        let http = suprsend::reqwest::Client::builder().no_proxy().build().unwrap();
        Self {
            hub: Hub::start().await.unwrap(),
            operations: Described::all(),
            http,
            needed: Mutex::default(),
        }
    }

    /// A client with a quota of retries of its own.
    pub(super) fn client(&self) -> Client {
        let at_once = RetryPolicy::default().base_delay(Duration::from_millis(1));
        let builder = Client::builder().base_url(self.hub.url()).api_key(self.hub.key());
        builder.retry(at_once).http_client(self.http.clone()).build().unwrap()
    }

    /// Calls an operation; how many attempts it took.
    pub(super) async fn call(&self, of: &Described, arguments: &Map<String, Value>) -> Result<u32, Error> {
        let call = self.prepare(of, arguments);
        call.unwrap_or_else(|error| panic!("{}: the example has not its form: {error}", of.id)).await
    }

    /// Prepares a call, if the arguments have its form.
    pub(super) fn prepare(
        &self,
        of: &Described,
        arguments: &Map<String, Value>,
    ) -> Result<Called, serde_json::Error> {
        let calling = Calling { client: self.client(), arguments: arguments.clone().into() };
        operations::visit(&of.id, calling).unwrap_or_else(|| panic!("no operation {}", of.id))
    }

    /// Makes everything anew that this example needs, and returns its arguments, with the ids that the API itself makes.
    pub(super) async fn fresh(&self, of: &Described, example: &Example) -> Map<String, Value> {
        let place = (of.id.clone(), example.name.clone());
        let known = self.needed.lock().unwrap().get(&place).cloned();
        let names = match known {
            Some(names) => names,
            None => self.needed(of, example).await,
        };
        self.needed.lock().unwrap().insert(place, names.clone());
        self.made(of, example, &names).await
    }

    /// The names of what the body speaks of and has to be there. Found by trying, since only the response says so.
    async fn needed(&self, of: &Described, example: &Example) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        loop {
            let arguments = self.made(of, example, &names).await;
            let Err(error) = self.call(of, &arguments).await else { return names };
            let missing = missing(&error).filter(|name| !names.contains(name));
            names.push(missing.unwrap_or_else(|| {
                panic!(
                    "{} ({}) is not carried out: {error}. What it needs is made by the upserts of the table of resources, or by \
                     `Furnished::of_the_dashboard` where no operation makes it: say there how it comes to be",
                    of.id, example.name
                )
            }));
        }
    }

    async fn made(&self, of: &Described, example: &Example, names: &[String]) -> Map<String, Value> {
        self.hub.reset();
        self.of_the_dashboard();
        let mut left: Vec<&Described> = self.operations.iter().filter(|known| known.is_upsert()).collect();
        // What cannot be made yet is tried again after the others.
        while !left.is_empty() {
            let (mut later, count) = (Vec::new(), left.len());
            for upsert in left {
                let example = &upsert.examples()[0];
                if let Err(error) = self.call(upsert, &example.arguments).await {
                    later.push((upsert, error));
                }
            }
            assert!(later.len() < count, "{}: {}", later[0].0.id, later[0].1);
            left = later.into_iter().map(|(upsert, _)| upsert).collect();
        }
        for name in names {
            self.make(name).await;
        }
        let mut arguments = example.arguments.clone();
        for (name, value) in &mut arguments {
            if let Some(made) = self.made_by_the_api(of, name).await {
                *value = made;
            }
        }
        arguments
    }

    /// What is set up on the dashboard, so that no operation makes it.
    fn of_the_dashboard(&self) {
        for operation in &self.operations {
            for (name, value) in &operation.path_parameters {
                match name.as_str() {
                    "category" | "category_slug" => {
                        self.hub.define_category(json!({"category": value})).unwrap();
                    }
                    "template_slug" if operation.path.ends_with("{template_slug}/") => {
                        let mut template = operation.success.clone();
                        template["slug"] = value.clone();
                        self.hub.define_template(template).unwrap();
                    }
                    _ => {}
                }
            }
        }
    }

    /// The value of a parameter of the path that a call below the same path returns, each time another one.
    async fn made_by_the_api(&self, of: &Described, name: &str) -> Option<Value> {
        let is_given = |known: &Described| known.path_parameters.iter().any(|(given, _)| given == name);
        let returns_it = |known: &&Described| {
            known.method == "POST" && known.success[name].is_string() && !is_given(known)
        };
        let maker = self.operations.iter().find(returns_it).filter(|_| is_given(of))?;
        self.call(maker, &maker.examples()[0].arguments)
            .await
            .unwrap_or_else(|error| panic!("{}: {error}", maker.id));
        let response: Value = serde_json::from_slice(self.hub.requests().last()?.response_body()).ok()?;
        Some(response[name].clone())
    }

    /// Makes a thing of this name of every kind that has a name.
    async fn make(&self, name: &str) {
        for upsert in self.operations.iter().filter(|known| known.is_upsert()) {
            if let [(parameter, _)] = &upsert.path_parameters[..] {
                let mut arguments = upsert.examples()[0].arguments.clone();
                arguments.insert(parameter.clone(), name.into());
                self.call(upsert, &arguments).await.unwrap_or_else(|error| panic!("{}: {error}", upsert.id));
            }
        }
    }

    /// Everything that can be read by the examples, without times and keys that were made up, and what was sent.
    pub(super) async fn state(&self, known: &Map<String, Value>) -> Value {
        let mut state = Map::new();
        for get in self.operations.iter().filter(|known| known.method == "GET") {
            let mut arguments = get.examples()[0].arguments.clone();
            for (name, value) in &mut arguments {
                if let Some(known) = known.get(name) {
                    value.clone_from(known);
                }
            }
            let url = format!("{}{}", self.hub.url(), get.filled(&arguments));
            let response = self.http.get(url).bearer_auth(self.hub.key()).send().await.unwrap();
            let (status, text) = (response.status().as_u16(), response.text().await.unwrap());
            assert!(status == 200 || status == 404, "{}: {status} {text}", get.id);
            state.insert(get.id.clone(), lasting(serde_json::from_str(&text).unwrap()));
        }
        let sent = self.hub.sent().into_iter().filter(|sent| !sent.is_duplicate());
        let sent = sent
            .map(|sent| json!([format!("{:?}", sent.kind()), sent.name(), sent.recipients(), sent.data()]));
        state.insert("sent".into(), sent.collect());
        state.into()
    }
}

/// A value without times and idempotency keys.
fn lasting(value: Value) -> Value {
    match value {
        Value::Object(members) => members
            .into_iter()
            .filter(|(name, _)| !name.ends_with("_at") && name != "idempotency_key")
            .map(|(name, member)| (name, lasting(member)))
            .collect(),
        Value::Array(items) => items.into_iter().map(lasting).collect(),
        value => value,
    }
}

/// The name of what was not found.
fn missing(error: &Error) -> Option<String> {
    let (_, name) = error.api()?.message()?.strip_suffix(" not found")?.split_once(": ")?;
    Some(name.to_owned())
}

fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(members) => members
            .into_iter()
            .filter(|(_, member)| !member.is_null())
            .map(|(name, member)| (name, without_nulls(member)))
            .collect(),
        Value::Array(items) => items.into_iter().map(without_nulls).collect(),
        value => value,
    }
}
