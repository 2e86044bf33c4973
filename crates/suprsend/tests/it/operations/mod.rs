//! What holds for every operation of the document, an operation that an overlay adds included: nothing here names one.

mod described;
mod furnished;

use serde_json::{Value, json};
use suprsend::{Error, Method, operations};
use suprsend_mock::Fault;

use self::{
    described::{Described, WITH_QUERY},
    furnished::Furnished,
};

/// The name of nothing.
const NOBODY: &str = "no-such-thing";

/// The message of a refusal in any of the API's forms.
fn message(body: &Value) -> Option<&str> {
    body["message"].as_str().or_else(|| body["error"]["message"].as_str()).or_else(|| body.as_str())
}

#[tokio::test]
async fn the_documents_examples_are_carried_out() {
    let world = Furnished::start().await;
    let of_the_hub = operations::ALL.iter().filter(|spec| spec.server.is_none()).count();
    assert_eq!(world.operations.len(), of_the_hub);
    for operation in &world.operations {
        for example in operation.examples() {
            let what = format!("{} ({})", operation.id, example.name);
            let arguments = world.fresh(operation, &example).await;
            let before = world.hub.requests().len();
            let attempts =
                world.call(operation, &arguments).await.unwrap_or_else(|error| panic!("{what}: {error}"));
            let requests = world.hub.requests();
            assert_eq!((attempts, requests.len()), (1, before + 1), "{what}");
            let request = &requests[before];
            assert_eq!(request.operation(), Some(operation.id.as_str()), "{what}");
            assert_eq!(
                (request.method(), request.path()),
                (&*operation.method, &*operation.filled(&arguments)),
                "{what}"
            );
            let status = request.status().unwrap_or_default();
            assert!((200..300).contains(&status), "{what}: {status}");
            // Each parameter of the query is sent.
            for name in arguments.keys().filter(|name| example.name == WITH_QUERY && *name != "body") {
                let is_in_path = operation.path_parameters.iter().any(|(given, _)| given == name);
                let query = request.query().unwrap_or_default().replace("%5B%5D", "[]");
                let is_in_query = ["=", "[]="].iter().any(|end| query.contains(&format!("{name}{end}")));
                assert!(is_in_path || is_in_query, "{what}: {name} is not in {query}");
            }
            world.hub.assert_called(&operation.id);
        }
    }
}

#[tokio::test]
async fn what_does_not_exist_is_a_404_where_the_document_has_one() {
    let world = Furnished::start().await;
    let mut missing = 0;
    for operation in world.operations.iter().filter(|known| known.refusals.contains_key(&404)) {
        let example = operation.examples().pop().unwrap();
        // A member of the body may make what is missing, so that it has to be left out.
        let members = example.arguments.get("body").and_then(Value::as_object).into_iter().flatten();
        let left_out: Vec<_> =
            [None].into_iter().chain(members.map(|(name, _)| Some(name.clone()))).collect();
        let mut errors = Vec::new();
        let names = example.arguments.keys().filter(|name| *name != "body");
        for name in names.filter(|name| example.arguments[*name].is_string()) {
            for left_out in &left_out {
                let mut arguments = world.fresh(operation, &example).await;
                arguments.insert(name.clone(), NOBODY.into());
                if let (Some(member), Some(body)) = (left_out, arguments.get_mut("body")) {
                    body.as_object_mut().unwrap().remove(member);
                }
                // A member that is required cannot be left out.
                let Ok(call) = world.prepare(operation, &arguments) else { continue };
                match call.await {
                    Err(error @ Error::NotFound(_)) => {
                        errors.push((name.clone(), error));
                        break;
                    }
                    // A body without the member may be refused as such.
                    Err(error) => assert!(left_out.is_some(), "{} without {name}: {error:?}", operation.id),
                    Ok(_) => {}
                }
            }
        }
        // What it names in its body is unknown as soon as something else is known.
        let arguments = world.fresh(operation, &example).await;
        world.hub.define_workflow(json!({"slug": NOBODY})).unwrap();
        let before = world.hub.requests().len();
        let result = world.call(operation, &arguments).await;
        // Of many records, each has its own outcome.
        let response: Value =
            serde_json::from_slice(world.hub.requests()[before].response_body()).unwrap_or_default();
        let of_records = response["records"].as_array().into_iter().flatten();
        let in_records = of_records.filter(|record| record["status_code"] == 404).count();
        errors.extend(result.err().map(|error| ("body".to_owned(), error)));

        for (name, error) in &errors {
            let Error::NotFound(error) = error else { panic!("{} without {name}: {error:?}", operation.id) };
            let said = error.api().message().unwrap_or_default();
            assert!(said.ends_with("not found"), "{} without {name}: {said}", operation.id);
        }
        let in_path =
            operation.path_parameters.iter().filter(|(name, _)| errors.iter().any(|it| it.0 == *name));
        assert_eq!(
            in_path.count(),
            operation.path_parameters.len(),
            "{}: every parameter of the path names something, but only these are missed: {errors:?}",
            operation.id
        );
        assert!(errors.len() + in_records > 0, "{}: nothing is missed", operation.id);
        missing += 1;
    }
    assert!(missing > 40, "{missing}");
}

#[tokio::test]
async fn every_declared_refusal_reaches_the_caller_with_its_message() {
    let world = Furnished::start().await;
    for operation in &world.operations {
        let other = (400, json!({"code": 400, "message": "something else is wrong"}));
        for (status, body) in operation.refusals.clone().into_iter().chain([other]) {
            let told = message(&body).unwrap_or_else(|| panic!("{}: {status} has no message", operation.id));
            let fault = Fault::status(status).body(body.clone()).operation(&operation.id);
            world.hub.inject(fault).unwrap();
            let error = world.call(operation, &operation.examples()[0].arguments).await.unwrap_err();
            let api = error.api().unwrap_or_else(|| panic!("{}: {error:?}", operation.id));
            assert_eq!((api.status().as_u16(), api.message()), (status, Some(told)), "{}", operation.id);
            assert!(error.to_string().contains(told), "{}: {error}", operation.id);
            assert!(!error.is_retryable(), "{}: {error}", operation.id);
            assert_eq!(matches!(error, Error::NotFound(_)), status == 404, "{}: {error:?}", operation.id);
        }
    }
}

/// What the SDK would refuse itself is sent past its checks.
#[tokio::test]
async fn what_the_hub_refuses_reaches_the_caller_with_its_message() {
    let world = Furnished::start().await;
    let mut refused = 0;
    for operation in &world.operations {
        let path = operation.filled(&operation.examples()[0].arguments);
        let request = world.client().request(operation.method.parse::<Method>().unwrap(), path);
        let request = match (&operation.of_another_type, operation.takes_body) {
            (_, true) => request.json(&"text"),
            (Some(name), false) => request.query(name, "text"),
            // Nothing of it can be wrong but its path.
            (None, false) => continue,
        };
        let error = request.await.unwrap_err();
        let requests = world.hub.requests();
        let said = requests.last().and_then(|request| request.refusal()).unwrap();
        let api = error.api().unwrap_or_else(|| panic!("{}: {error:?}", operation.id));
        assert_eq!((api.status().as_u16(), api.message()), (400, Some(said)), "{}", operation.id);
        let is_named = operation.of_another_type.as_ref().is_none_or(|name| said.contains(name.as_str()));
        assert!(operation.takes_body || is_named, "{}: {said}", operation.id);
        refused += 1;
    }
    assert!(refused > 50, "{refused}");
}

/// The response to each example is lost: what may be sent twice is, and leaves what one call leaves; what may not is not.
#[tokio::test]
async fn a_lost_response_is_asked_for_again_where_that_does_no_harm() {
    let world = Furnished::start().await;
    let (mut repeated, mut once) = (0, 0);
    for operation in &world.operations {
        let changes = operation.method != "GET";
        // What is asked of the query makes no difference.
        for example in operation.examples().into_iter().filter(|example| example.name != WITH_QUERY) {
            let what = format!("{} ({})", operation.id, example.name);
            let arguments = world.fresh(operation, &example).await;
            world.call(operation, &arguments).await.unwrap_or_else(|error| panic!("{what}: {error}"));
            let expected = if changes { world.state(&arguments).await } else { Value::Null };

            let arguments = world.fresh(operation, &example).await;
            let before = world.hub.requests().len();
            world.hub.inject(Fault::lost().operation(&operation.id)).unwrap();
            let result = world.call(operation, &arguments).await;
            let attempts = world.hub.requests().len() - before;
            let state = if changes { world.state(&arguments).await } else { Value::Null };
            for (name, value) in state.as_object().into_iter().flatten() {
                assert_eq!(*value, expected[name], "{what}: another {name} than after one call");
            }
            if operation.may_be_repeated(&arguments) {
                assert_eq!(attempts, 2, "{what}: {result:?}");
                // What was deleted by the first attempt is not there for the second one.
                assert!(matches!(result, Ok(2) | Err(Error::NotFound(_))), "{what}: {result:?}");
                repeated += 1;
            } else {
                assert_eq!(attempts, 1, "{what}: {result:?}");
                assert!(matches!(result, Err(Error::Connection(_))), "{what}: {result:?}");
                once += 1;
            }
        }
    }
    assert!(repeated > 60 && once > 3, "{repeated} were repeated, {once} were not");
}

/// What surely was not processed is sent again, whatever it is.
#[tokio::test]
async fn a_call_that_was_turned_away_is_sent_again() {
    let world = Furnished::start().await;
    for operation in &world.operations {
        let example = operation.examples().remove(0);
        let arguments = world.fresh(operation, &example).await;
        world.hub.inject(Fault::status(429).operation(&operation.id)).unwrap();
        let result = world.call(operation, &arguments).await;
        assert!(matches!(result, Ok(2)), "{}: {result:?}", operation.id);
    }
}

#[test]
fn an_edit_that_counts_is_not_the_same_twice() {
    let all = Described::all();
    let edits =
        all.iter().flat_map(|operation| operation.examples().into_iter().map(move |it| (operation, it)));
    let counts = edits.filter(|(operation, example)| {
        let text = json!(example.arguments).to_string();
        text.contains("$increment") && operation.may_be_repeated(&example.arguments)
    });
    assert_eq!(counts.count(), 0);
}
