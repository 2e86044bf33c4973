//! Controls: faults, the rate limit, definitions, and the reset.

use std::time::Duration;

use axum::{http::StatusCode, response::Response};
use maud::{Markup, html};
use serde_json::{Map, Value};

use super::{
    CONTROLS, FORMS,
    params::Params,
    shell::{Page, badge, hidden_fields, option},
};
use crate::{
    fault::Fault,
    rate_limit::{Limiter, RateLimit},
    refused::Refused,
    server::Shared,
};

/// The faults that can be injected.
const EFFECTS: [(&str, &str); 6] = [
    ("status", "Answer with a status"),
    ("record", "Refuse records of a request with many"),
    ("delay", "Delay only"),
    ("reset", "Reset the connection, not performed"),
    ("lost", "Perform it, lose the response"),
    ("truncated", "Perform it, truncate the response"),
];

pub(super) fn page(shared: &Shared, params: &Params) -> Response {
    let content = html! {
        div.head { h1 #title { "Controls" } p.count { "What goes wrong, how fast, and what is known" } }
        div.cards { (faults(shared, params)) (rate(shared, params)) (setup(shared, params)) (start(params)) }
    };
    Page { title: "Controls", path: CONTROLS, params, content }.respond(StatusCode::OK)
}

/// Renders a form that returns to this page.
fn form(action: &str, params: &Params, fields: &Markup) -> Markup {
    let back = params.link(CONTROLS);
    html! {
        form.fields method="post" action={ (FORMS) (action) } {
            (hidden_fields(&Params::from([("return", back.as_str())])))
            (fields)
        }
    }
}

fn faults(shared: &Shared, params: &Params) -> Markup {
    let active = shared.state().faults.active();
    let mut ids: Vec<_> = shared.document().operations().iter().map(|it| it.id.as_str()).collect();
    ids.sort_unstable();
    let fields = html! {
        label { "Operation"
            select name="operation" {
                option value="" { "Any operation" }
                @for id in ids { (option(id, id, params.text("operation"))) }
            }
        }
        label { "Effect" select name="effect" { @for (value, label) in EFFECTS { (option(value, label, "status")) } } }
        label { "Status" input type="number" name="status" min="200" max="599" value="503"; }
        label { "Retry-After, in seconds" input type="number" name="retry_after" min="0" max="86400" placeholder="none"; }
        label { "Delay, in milliseconds" input type="number" name="delay_ms" min="0" max="600000" placeholder="none"; }
        label { "Times" input type="number" name="times" min="1" max="1000000" value="1"; }
        div.end { button.button.primary type="submit" { "Inject the fault" } }
    };
    html! {
        section.card.wide aria-labelledby="faults" {
            h2 #faults { "Faults" }
            p.about { "The next requests that fit get the fault in place of an answer. Faults happen in the order in which they were injected." }
            (form("fault", params, &fields))
            h3 { "Still to happen" }
            @if active.is_empty() { p.none #no-faults { "None." } }
            @else {
                ul.plain-list #active-faults {
                    @for fault in &active {
                        @let json = serde_json::to_value(fault).unwrap_or_default();
                        li {
                            (badge("warn", &effect(&json)))
                            " " (json["operation"].as_str().unwrap_or("any operation"))
                            @match json["times"].as_u64() {
                                Some(1) => " once",
                                Some(times) => { ", " (times) " times" }
                                None => " until cleared",
                            }
                            @if let Some(share) = json["share"].as_f64() { ", " (share * 100.0) " % of requests" }
                        }
                    }
                }
                (form("faults/clear", params, &html! { div.end { button.button type="submit" { "Clear all faults" } } }))
            }
        }
    }
}

fn effect(fault: &Value) -> String {
    let delay = fault["delay_ms"].as_u64().map(|delay| format!("{delay} ms"));
    let cut = fault["cut"].as_str().map(str::to_owned);
    let status = fault["status"].as_u64().map(|status| status.to_string());
    let record = fault["record"].as_u64().map(|status| format!("records {status}"));
    [delay, status, record, cut].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn rate(shared: &Shared, params: &Params) -> Markup {
    let limit = shared.state().limiter.limit();
    let (requests, seconds) = limit.map_or((10, 1.0), |limit| (limit.requests(), limit.per().as_secs_f64()));
    let fields = html! {
        label { "Requests" input type="number" name="requests" min="1" max="1000000" required value=(requests); }
        label { "In seconds" input type="number" name="seconds" min="0.001" step="any" max="86400" required value=(seconds); }
        div.end { button.button.primary type="submit" { "Limit the rate" } }
    };
    html! {
        section.card aria-labelledby="rate" {
            h2 #rate { "Rate limit" }
            p.about {
                @match limit {
                    None => "There is none. Requests over a limit are answered with 429 and Retry-After.",
                    Some(_) => { b { (requests) " requests in " (seconds) " s" } ". What is over it is answered with 429 and Retry-After." }
                }
            }
            (form("rate-limit", params, &fields))
            @if limit.is_some() { (form("rate-limit/lift", params, &html! { div.end { button.button type="submit" { "Lift the limit" } } })) }
        }
    }
}

fn setup(shared: &Shared, params: &Params) -> Markup {
    let (workflows, categories) = shared.state().world.defined();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let category = html! {
        label { "Category" input type="text" name="category" required placeholder="order-updates"; }
        label { "Default" select name="default_preference" {
            (option("opt_in", "Opted in", "")) (option("opt_out", "Opted out", "")) (option("cant_unsubscribe", "Cannot be unsubscribed", "")) } }
        div.end { button.button type="submit" { "Add the category" } }
    };
    let workflow = html! {
        label { "Workflow" input type="text" name="slug" required placeholder="order-shipped"; }
        label { "Its category" select name="category" { option value="" { "None" } @for it in &categories { (option(&text(&it["category"]), &text(&it["category"]), "")) } } }
        div.end { button.button type="submit" { "Add the workflow" } }
    };
    html! {
        section.card aria-labelledby="setup" {
            h2 #setup { "Workflows and categories" }
            p.about { "Preferences apply to workflows with a category. Until a workflow is added or committed, any slug is taken; from then on, others are answered with 404." }
            @if !categories.is_empty() || !workflows.is_empty() {
                dl.pairs {
                    @for it in &categories { dt { (text(&it["category"])) } dd { "category" } }
                    @for it in &workflows { dt { (text(&it["slug"])) } dd { "workflow" @if let Some(category) = it["category"].as_str() { " of " (category) } } }
                }
            }
            (form("define/category", params, &category))
            (form("define/workflow", params, &workflow))
        }
    }
}

fn start(params: &Params) -> Markup {
    html! {
        section.card aria-labelledby="start" {
            h2 #start { "Start over" }
            p.about { "Forgetting the requests empties the list of requests. A reset also drops what is stored, faults and the rate limit, and brings back what the server was started with." }
            (form("forget", params, &html! { div.end { button.button type="submit" { "Forget the requests" } } }))
            (form("reset", params, &html! { div.end { button.button.danger type="submit" { "Reset everything" } } }))
        }
    }
}

/// Injects the fault that a form describes.
pub(super) fn inject(shared: &Shared, form: &Params) -> Result<(), Refused> {
    let status = || form.number("status").ok_or_else(|| Refused::new("status: is not a status of HTTP"));
    let mut fault = match form.text("effect") {
        "status" => Fault::status(status()?),
        "record" => Fault::record(status()?),
        "delay" => Fault::default(),
        "reset" => Fault::reset(),
        "lost" => Fault::lost(),
        "truncated" => Fault::truncated(),
        _ => return Err(Refused::new("effect: is not one that the form offers")),
    };
    if let Some(delay) = form.number("delay_ms") {
        fault = fault.after(Duration::from_millis(delay));
    }
    if let Some(seconds) = form.number("retry_after").filter(|_| form.text("effect") == "status") {
        fault = fault.retry_after(Duration::from_secs(seconds));
    }
    if let Some(operation) = form.get("operation") {
        fault = fault.operation(operation);
    }
    shared.inject(fault.times(form.number("times").unwrap_or(1)))
}

/// Sets the rate limit from a form.
pub(super) fn limit(shared: &Shared, form: &Params) -> Result<(), Refused> {
    let requests = form.number("requests").filter(|requests| *requests > 0);
    let requests = requests.ok_or_else(|| Refused::new("requests: is not a positive number"))?;
    let per = form.number("seconds").and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let per = per.filter(|per| !per.is_zero());
    let per = per.ok_or_else(|| Refused::new("seconds: is not a positive number"))?;
    shared.state().limiter = Limiter::new(Some(RateLimit::new(requests, per)));
    Ok(())
}

/// Defines what a form describes.
pub(super) fn define(shared: &Shared, kind: &str, form: &Params) -> Result<(), Refused> {
    let members = form.pairs().filter(|(name, _)| *name != "return");
    let members: Map<String, Value> =
        members.map(|(name, value)| (name.to_owned(), value.trim().into())).collect();
    shared.define(kind, members.into())
}
