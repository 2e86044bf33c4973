//! The life of each resource once, by the SDK's own methods, with what is left in the hub. Users' own is in `life_cycle`, lists that are
//! replaced in `lists`.

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use suprsend::{
    Client, Error,
    types::{
        CategoryPreferenceInput, ChannelName, ChannelPreference, Event, MessageUpdate, Preference,
        PreferenceChoice, Recipient, SubscriberRef, UserRecipient, UserRecord, WorkflowTrigger,
    },
};
use suprsend_mock::Hub;

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

async fn hub() -> Result<(Hub, Client)> {
    let hub = Hub::start().await?;
    let client =
        Client::builder().base_url(hub.url()).api_key(hub.key()).workspace("acme-uid").no_proxy().build()?;
    for (id, body) in [
        ("ann", json!({"$email": ["ann@example.com"], "$inbox": ["ann"]})),
        ("bob", json!({"$sms": ["+15551234567"]})),
    ] {
        hub.seed(id, body)?;
    }
    Ok((hub, client))
}

fn read<T: DeserializeOwned>(json: Value) -> T {
    serde_json::from_value(json).unwrap()
}

#[track_caller]
fn assert_missing<T>(result: std::result::Result<T, Error>) {
    match result {
        Err(Error::NotFound(_)) => {}
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("it is there"),
    }
}

#[tokio::test]
async fn tenants() -> Result {
    let (hub, client) = hub().await?;
    let tenants = client.tenants();
    assert!(tenants.get("acme").optional().await?.is_none());
    let made = tenants
        .upsert("acme", "Acme")
        .logo("https://acme.example/logo.png")
        .primary_color("#0055ff")
        .timezone("Europe/Berlin")
        .blocked_channels(ChannelName::Sms)
        .social_links(read::<suprsend::types::SocialLinks>(
            json!({"website": "https://acme.example", "x": "https://x.com/acme"}),
        ))
        .properties("plan", "pro")
        .properties("seats", 3)
        .await?;
    assert_eq!((made.tenant_id.as_str(), made.tenant_name.as_deref()), ("acme", Some("Acme")));
    assert!(made.updated_at.is_some());
    // Properties and links are merged, an empty link goes.
    let links: suprsend::types::SocialLinks = read(json!({"x": ""}));
    tenants.upsert("acme", "Acme Inc.").properties("seats", 4).social_links(links).await?;
    let stored = hub.stored("tenants", &["acme"]).unwrap();
    assert_eq!(stored["properties"], json!({"plan": "pro", "seats": 4}));
    assert_eq!(stored["social_links"], json!({"website": "https://acme.example"}));
    assert_eq!((&stored["tenant_name"], &stored["primary_color"]), (&json!("Acme Inc."), &json!("#0055ff")));

    tenants.upsert("umbrella", "Umbrella").await?;
    let (mut pages, mut found) = (tenants.list().limit(2).pages(), Vec::new());
    while let Some(page) = pages.next().await.transpose()? {
        assert_eq!(page.meta.count, 3);
        found.extend(page.into_inner().results.into_iter().map(|tenant| tenant.tenant_id));
    }
    assert_eq!(found, ["acme", "default", "umbrella"]);

    tenants.delete("acme").await?;
    assert!(hub.stored("tenants", &["acme"]).is_none());
    assert_missing(tenants.get("acme").await);
    assert_missing(tenants.delete("acme").await);
    // It is always there.
    let error = tenants.delete("default").await.unwrap_err();
    assert_eq!(error.status().map(|status| status.as_u16()), Some(400));
    assert!(hub.stored("tenants", &["default"]).is_some());
    Ok(())
}

#[tokio::test]
async fn objects_and_their_subscribers() -> Result {
    let (hub, client) = hub().await?;
    let objects = client.objects();
    assert_missing(objects.get("teams", "a/b c").await);
    let made = objects.upsert("teams", "a/b c").email("team@example.com").property("site", "Berlin").await?;
    assert_eq!((made.object_type.as_str(), made.id.as_str(), made.email.len()), ("teams", "a/b c", 1));
    let edited = objects
        .edit("teams", "a/b c")
        .append_email("all@example.com")
        .set("site", "Paris")
        .increment("seats", 2)
        .await?;
    assert_eq!(edited.status().as_u16(), 200);
    let stored = hub.stored("objects", &["teams", "a/b c"]).unwrap();
    assert_eq!(stored["properties"], json!({"site": "Paris", "seats": 2}));
    assert_eq!(stored["$email"].as_array().map(Vec::len), Some(2));

    objects.upsert("teams", "child").await?;
    let subscriptions = objects.subscriptions("teams", "a/b c");
    let recipients = [
        Recipient::from("ann"),
        Recipient::object("teams", "child").into(),
        Recipient::user("new").sms("+15557654321").into(),
    ];
    let added = subscriptions.add(recipients).properties("role", "member").await?;
    assert_eq!(added.results.len(), 3);
    assert!(hub.profile("new").is_some(), "whom a subscription names is created");
    // A repeat changes the properties, and nothing is there twice.
    subscriptions.add(["ann"]).properties("role", "lead").await?;
    let (mut items, mut found) = (subscriptions.list().limit(1).items(), Vec::new());
    while let Some(item) = items.next().await.transpose()? {
        let who = match (&item.user, &item.object) {
            (Some(user), None) => user.distinct_id.clone(),
            (None, Some(object)) => object.id.clone().unwrap_or_default(),
            both => panic!("{both:?}"),
        };
        found.push((who, item.properties.unwrap()["role"].clone()));
    }
    found.sort_by(|one, other| one.0.cmp(&other.0));
    let expected = [("ann", "lead"), ("child", "member"), ("new", "member")];
    assert_eq!(found, expected.map(|(who, role)| (who.to_owned(), json!(role))));
    assert_eq!(objects.get("teams", "a/b c").await?.subscriptions_count, Some(3));
    // The other way round, for an object and for a user.
    let parents = objects.object_subscriptions("teams", "child").page().await?;
    assert_eq!(parents.results[0].object.as_ref().unwrap().id.as_deref(), Some("a/b c"));
    let parents = client.users().object_subscriptions("ann").page().await?;
    assert_eq!(parents.results[0].object.as_ref().unwrap().object_type.as_deref(), Some("teams"));

    subscriptions
        .remove([SubscriberRef::from("ann"), read(json!({"object_type": "teams", "id": "child"}))])
        .await?;
    assert_eq!(hub.stored("objects", &["teams", "a/b c"]).unwrap()["subscriptions_count"], 1);
    assert_missing(objects.subscriptions("teams", "nothing").list().page().await);
    assert_missing(objects.subscriptions("teams", "nothing").remove("ann").await);
    assert_missing(objects.subscriptions("teams", "nothing").add("ann").await);
    objects.subscriptions("teams", "made").add("ann").parent_object_properties("site", "Rome").await?;
    assert_eq!(hub.stored("objects", &["teams", "made"]).unwrap()["properties"], json!({"site": "Rome"}));
    objects.delete("teams", "made").await?;

    let (mut items, mut found) = (objects.list("teams").limit(1).items(), Vec::new());
    while let Some(object) = items.next().await.transpose()? {
        found.push(object.id);
    }
    assert_eq!(found, ["a/b c", "child"]);
    assert!(objects.list("others").page().await?.results.is_empty());

    objects.delete("teams", "a/b c").await?;
    assert!(hub.stored("objects", &["teams", "a/b c"]).is_none());
    assert!(client.users().object_subscriptions("new").page().await?.results.is_empty());
    objects.delete_many("teams", ["child", "nothing"]).await?;
    assert!(hub.stored("objects", &["teams", "child"]).is_none());
    assert_missing(objects.delete("teams", "child").await);
    Ok(())
}

#[tokio::test]
async fn lists_and_their_drafts() -> Result {
    let (hub, client) = hub().await?;
    let lists = client.lists();
    let made = lists.upsert("news").list_name("News").track_user_entry(true).await?;
    assert_eq!((made.list_id.as_str(), made.subscribers_count), ("news", Some(0)));
    lists.upsert("news").list_description("Once a month").await?;
    let stored = hub.stored("lists", &["news"]).unwrap();
    assert_eq!((&stored["list_name"], &stored["list_description"]), (&json!("News"), &json!("Once a month")));

    let members = async || -> Result<Vec<String>> {
        let (mut items, mut found) =
            (client.lists().subscribers("news").list().sort("id").limit(1).items(), Vec::new());
        while let Some(user) = items.next().await.transpose()? {
            found.push(user.distinct_id);
        }
        Ok(found)
    };
    // Only users that exist are added.
    let added = lists.subscribers("news").add(["ann", "bob", "nobody"]).await?;
    assert_eq!((added.success, added.affected_count), (true, 2));
    assert_eq!(members().await?, ["ann", "bob"]);
    assert_eq!(lists.subscribers("news").remove("ann").await?.affected_count, 1);
    assert_eq!(members().await?, ["bob"]);
    let found = client.users().list_subscriptions("bob").page().await?;
    assert_eq!(found.results[0].list.as_ref().unwrap().list_id.as_deref(), Some("news"));

    let drafts = lists.drafts("news");
    let draft = drafts.start().await?.into_inner();
    assert_eq!(drafts.add(&draft.version_id, ["ann", "bob"]).await?.affected_count, 2);
    assert_eq!(drafts.remove(&draft.version_id, ["bob"]).await?.affected_count, 1);
    assert_eq!(drafts.get(&draft.version_id).await?.subscribers_count, Some(1));
    assert_eq!(members().await?, ["bob"], "a draft changes nothing until it is finished");
    assert_eq!(lists.get("news").await?.drafts.as_ref().map(Vec::len), Some(1));
    assert_eq!(drafts.finish(&draft.version_id).await?.subscribers_count, Some(1));
    assert_eq!(members().await?, ["ann"]);
    assert_missing(drafts.finish(&draft.version_id).await);

    let draft = drafts.start().await?.into_inner();
    assert!(drafts.delete(&draft.version_id).await?.success);
    assert_missing(drafts.get(&draft.version_id).await);
    assert_eq!(hub.stored("lists", &["news"]).unwrap()["drafts"], json!([]));
    assert_eq!(members().await?, ["ann"]);

    let (mut items, mut found) = (lists.list().limit(1).items(), Vec::new());
    while let Some(list) = items.next().await.transpose()? {
        found.push(list.list_id);
    }
    found.sort();
    assert_eq!(found, ["all_users", "news"]);
    assert!(lists.delete("news").await?.success);
    assert!(hub.stored("lists", &["news"]).is_none());
    assert_missing(lists.delete("news").await);
    assert_missing(lists.subscribers("news").add("ann").await);
    assert_missing(lists.drafts("news").start().await);
    Ok(())
}

/// Two categories, of which one cannot be left.
fn define_categories(hub: &Hub) -> Result {
    hub.define_category(
        json!({"category": "news", "name": "News", "section": "Marketing", "channels": ["email", "sms"]}),
    )?;
    hub.define_category(json!({
        "category": "security", "root_category": "system", "channels": ["email"], "default_preference": "cant_unsubscribe",
    }))?;
    Ok(())
}

fn restricted(channel: &str) -> ChannelPreference {
    read(json!({"channel": channel, "is_restricted": true}))
}

#[tokio::test]
async fn preferences_of_users() -> Result {
    let (hub, client) = hub().await?;
    define_categories(&hub)?;
    let ann = client.users().preferences("ann");
    let page = ann.get().await?;
    let categories =
        page.sections.iter().flatten().flat_map(|section| section.subcategories.iter().flatten());
    let names: Vec<_> = categories.map(|category| category.category.as_str()).collect();
    assert_eq!(names.len(), 2, "{names:?}");
    assert_eq!(ann.list_categories().limit(1).page().await?.results.len(), 1);
    assert_eq!(ann.get_category("news").await?.preference, Preference::OptIn);

    let changed =
        ann.edit_category("news", PreferenceChoice::OptIn).opt_out_channels(ChannelName::Sms).await?;
    let of = |name: &str| {
        changed.channels.iter().flatten().find(|it| it.channel.as_str() == name).unwrap().preference.clone()
    };
    assert_eq!((of("email"), of("sms")), (Preference::OptIn, Preference::OptOut));
    ann.edit_category("news", PreferenceChoice::OptOut).await?;
    assert_eq!(ann.get_category("news").await?.preference, Preference::OptOut);
    // Within another tenant nothing was chosen.
    client.tenants().upsert("acme", "Acme").await?;
    assert_eq!(ann.get_category("news").tenant_id("acme").await?.preference, Preference::OptIn);
    let fixed = ann.edit_category("security", PreferenceChoice::OptOut).await.unwrap_err();
    assert!(fixed.api().is_some(), "{fixed:?}");
    assert_missing(ann.get_category("nothing").await);
    assert_missing(client.users().preferences("nobody").get().await);

    let channels = ann.edit_channels(restricted("email")).await?;
    assert_eq!(channels.channel_preferences.iter().flatten().filter(|it| it.is_restricted).count(), 1);
    let read_again = ann.get_channels().await?;
    assert_eq!(read_again.channel_preferences, channels.channel_preferences);
    // What was chosen blocks messages.
    hub.define_workflow(json!({"slug": "monthly", "category": "news"}))?;
    client.workflows().trigger("monthly").recipient("ann").await?;
    let messages = client.messages().list().recipient_id("ann").channel(ChannelName::Email).page().await?;
    assert!(!messages.results.is_empty());
    assert!(
        messages.results.iter().all(|message| message.status.as_str() == "trigger_blocked"),
        "{messages:?}"
    );

    let choice: CategoryPreferenceInput = read(json!({"category": "news", "preference": "opt_in"}));
    let free: ChannelPreference = read(json!({"channel": "email", "is_restricted": false}));
    ann.edit().categories(choice.clone()).channel_preferences(free).await?;
    assert_eq!(ann.get_category("news").await?.preference, Preference::OptIn);

    let users = client.users();
    let out: CategoryPreferenceInput = read(json!({"category": "news", "preference": "opt_out"}));
    assert!(
        users
            .edit_preferences_of_many(["ann", "bob"])
            .categories(out)
            .channel_preferences(restricted("sms"))
            .await?
            .success
    );
    for id in ["ann", "bob"] {
        assert_eq!(users.preferences(id).get_category("news").await?.preference, Preference::OptOut, "{id}");
    }
    assert!(users.reset_preferences_of_many(["bob"], true, true).await?.success);
    assert_eq!(users.preferences("bob").get_category("news").await?.preference, Preference::OptIn);
    assert_eq!(users.preferences("ann").get_category("news").await?.preference, Preference::OptOut);
    let channels = users.preferences("bob").get_channels().await?;
    assert!(channels.channel_preferences.iter().flatten().all(|it| !it.is_restricted));
    Ok(())
}

#[tokio::test]
async fn preferences_of_objects() -> Result {
    let (hub, client) = hub().await?;
    define_categories(&hub)?;
    let sales = client.objects().preferences("departments", "sales");
    assert_missing(sales.get().await);
    client.objects().upsert("departments", "sales").email("sales@example.com").await?;
    assert!(!sales.get().await?.sections.as_ref().unwrap().is_empty());
    sales.edit_category("news", PreferenceChoice::OptOut).await?;
    assert_eq!(sales.get_category("news").await?.preference, Preference::OptOut);
    assert_eq!(sales.list_categories().show_opt_out_channels(true).page().await?.results.len(), 2);
    let channels = sales.edit_channels(restricted("email")).await?;
    assert_eq!(sales.get_channels().await?.channel_preferences, channels.channel_preferences);
    let choice: CategoryPreferenceInput = read(json!({"category": "news", "preference": "opt_in"}));
    sales.edit().categories(choice).await?;
    assert_eq!(sales.get_category("news").await?.preference, Preference::OptIn);
    // They are gone with the object.
    client.objects().delete("departments", "sales").await?;
    client.objects().upsert("departments", "sales").await?;
    let channels = sales.get_channels().await?;
    assert!(channels.channel_preferences.iter().flatten().all(|it| !it.is_restricted));
    Ok(())
}

#[tokio::test]
#[allow(deprecated, reason = "the older form of the same")]
async fn preferences_of_tenants() -> Result {
    let (hub, client) = hub().await?;
    define_categories(&hub)?;
    let acme = client.tenants().preferences("acme");
    assert_missing(acme.get().await);
    client.tenants().upsert("acme", "Acme").await?;
    assert_eq!(acme.get().await?.root_categories.len(), 2);
    assert_eq!(acme.list_categories().page().await?.meta.count, 2);
    let edited = acme
        .edit_category("news")
        .preference(Preference::OptOut)
        .mandatory_channels(ChannelName::Email)
        .await?;
    assert_eq!(edited.preference, Some(Preference::OptOut));
    assert_eq!(acme.get_category("news").await?.mandatory_channels, Some(vec![ChannelName::Email]));
    // The tenant's is over the category's default, and under the user's own choice.
    let ann = client.users().preferences("ann");
    assert_eq!(ann.get_category("news").tenant_id("acme").await?.preference, Preference::OptOut);
    assert_eq!(ann.get_category("news").await?.preference, Preference::OptIn);
    ann.edit_category("news", PreferenceChoice::OptIn).tenant_id("acme").await?;
    assert_eq!(ann.get_category("news").tenant_id("acme").await?.preference, Preference::OptIn);

    acme.edit_default_category("news").preference(Preference::OptIn).await?;
    let older = acme.list_default_categories().page().await?;
    assert_eq!(
        older.results.iter().find(|it| it.category == "news").unwrap().preference,
        Some(Preference::OptIn)
    );
    assert_missing(acme.get_category("nothing").await);
    Ok(())
}

#[tokio::test]
async fn profiles_of_users_within_tenants() -> Result {
    let (hub, client) = hub().await?;
    let tenants = client.users();
    let of_ann = tenants.tenants("ann");
    assert_missing(of_ann.upsert("acme").email("ann@acme.example").await);
    client.tenants().upsert("acme", "Acme").await?;
    let profile = of_ann.upsert("acme").email("ann@acme.example").property("role", "admin").await?;
    assert_eq!(profile.property::<String>("role")?.as_deref(), Some("admin"));
    of_ann.edit("acme").set("role", "owner").await?;
    let profile = of_ann.get("acme").await?;
    // Laid over the user's own, key by key.
    assert_eq!(profile.property::<String>("role")?.as_deref(), Some("owner"));
    assert_eq!(profile.email[0].address(), Some("ann@acme.example"));
    assert_eq!(profile.inbox.len(), 1);
    assert_eq!(hub.profile("ann").unwrap()["properties"].get("role"), None);
    let listed = of_ann.list().page().await?;
    assert_eq!(listed.results.iter().map(|it| it.tenant_id.as_deref()).collect::<Vec<_>>(), [Some("acme")]);
    of_ann.delete("acme").await?;
    assert!(of_ann.list().page().await?.results.is_empty());
    assert_missing(of_ann.delete("acme").await);
    Ok(())
}

#[tokio::test]
#[allow(deprecated, reason = "the older form of the same")]
async fn workflows_events_broadcasts_and_their_messages() -> Result {
    let (hub, client) = hub().await?;
    let accepted = client
        .workflows()
        .trigger("shipped")
        .recipients(["ann", "bob"])
        .data("order", 5)
        .idempotency_key("k1")
        .await?;
    let sent = hub.sent();
    assert_eq!(accepted.message_id.as_deref(), Some(sent[0].message_id()));
    hub.assert_triggered("shipped")
        .to("ann")
        .to("bob")
        .under_key("k1")
        .containing(&json!({"data": {"order": 5}}));
    let trigger = |slug: &str| -> WorkflowTrigger { read(json!({"workflow": slug, "recipients": ["ann"]})) };
    hub.define_workflow(json!({"slug": "shipped"}))?;
    let many = client.workflows().trigger_many([trigger("shipped"), trigger("unknown")]).await?;
    assert_eq!(many.records.iter().map(|record| record.status_code).collect::<Vec<_>>(), [202, 404]);
    assert_eq!(many.records[1].error.as_ref().unwrap().message.as_deref(), Some("workflow not found"));
    assert_missing(client.workflows().trigger("unknown").recipient("ann").await);
    let guest: UserRecipient = read(json!({"distinct_id": "ann", "$email": ["ann@example.com"]}));
    client.workflows().trigger_dynamic("Old", "order-shipped", "transactional", guest).await?;
    hub.assert_triggered("Old").times(1);
    assert_eq!(client.workflows().cancel().idempotency_key("k1").await?.execution_ids.len(), 2);
    assert!(
        client.workflows().cancel().idempotency_key("k1").await?.execution_ids.is_empty(),
        "a run is cancelled once"
    );

    client.events().track("ann", "ordered").properties("total", 9.5).await?;
    client.events().send("bob", "ordered").await?;
    let event = |id: &str| -> Event { read(json!({"distinct_id": id, "event": "ordered"})) };
    assert_eq!(client.events().track_many([event("ann"), event("nobody")]).await?.records.len(), 2);
    hub.assert_tracked("ordered")
        .times(4)
        .to("ann")
        .times(2)
        .containing(&json!({"properties": {"total": 9.5}}));

    client.lists().upsert("news").await?;
    client.lists().subscribers("news").add(["ann", "bob"]).await?;
    client
        .broadcasts()
        .send("news", "may", "promotional")
        .data("month", "May")
        .idempotency_key("may")
        .await?;
    hub.assert_broadcast("news").times(1).under_key("may").containing(&json!({"data": {"month": "May"}}));
    assert_eq!(client.broadcasts().cancel().list_id("news").await?.execution_ids.len(), 2);

    let messages = client.messages();
    let (mut items, mut found) = (messages.list().is_campaign(true).limit(1).items(), Vec::new());
    while let Some(message) = items.next().await.transpose()? {
        let of = message.recipient.as_ref().and_then(|recipient| recipient.distinct_id.clone());
        found.push((of.unwrap(), message.channel.clone().unwrap(), message.message_id));
    }
    // The newest comes first.
    assert_eq!(
        found.iter().map(|it| (it.0.as_str(), it.1.as_str())).collect::<Vec<_>>(),
        [("bob", "sms"), ("ann", "inbox"), ("ann", "email")]
    );
    let update =
        |id: &str, action: &str| -> MessageUpdate { read(json!({"message_id": id, "action": action})) };
    let outcomes = messages
        .edit_many([update(&found[1].2, "read"), update(&found[0].2, "read"), update("nothing", "seen")])
        .await?;
    assert_eq!(outcomes.records.iter().map(|it| it.status_code).collect::<Vec<_>>(), [202, 422, 404]);
    let read_ones = messages.list().message_id(&found[1].2).page().await?;
    assert_eq!((read_ones.results.len(), read_ones.results[0].is_read), (1, Some(true)));
    assert!(read_ones.results[0].read_at.is_some());
    Ok(())
}

#[tokio::test]
async fn users_that_are_ingested() -> Result {
    let (hub, client) = hub().await?;
    let record: UserRecord = read(
        json!({"distinct_id": "new", "$user_operations": [{"$set": {"plan": "pro"}}, {"$append": {"$email": "new@example.com"}}]}),
    );
    let other: UserRecord = read(json!({"distinct_id": "ann", "$user_operations": [{"$unset": ["$inbox"]}]}));
    client.users().ingest([record, other]).await?;
    assert_eq!(hub.profile("new").unwrap()["properties"]["plan"], "pro");
    assert_eq!(hub.profile("ann").unwrap().get("$inbox"), None);
    Ok(())
}

#[tokio::test]
async fn templates() -> Result {
    let (hub, client) = hub().await?;
    let templates = client.templates();
    assert!(templates.list().page().await?.results.is_empty());
    let channel = |slug: &str| json!({"id": 1, "channel": {"name": slug, "slug": slug}, "is_active": true});
    hub.define_template(json!({"slug": "order-shipped", "name": "Order shipped", "is_active": true, "channels": [channel("email"), channel("sms")]}))?;
    hub.define_template(json!({"slug": "welcome", "name": "Welcome", "is_active": false}))?;
    let (mut items, mut found) = (templates.list().limit(1).items(), Vec::new());
    while let Some(template) = items.next().await.transpose()? {
        found.push(template.slug);
    }
    assert_eq!(found, ["order-shipped", "welcome"]);
    let template = templates.get("order-shipped").await?;
    assert_eq!(
        (template.name.as_deref(), template.channels.as_ref().map(Vec::len)),
        (Some("Order shipped"), Some(2))
    );
    let email = templates.get_channel("order-shipped", "email").await?;
    assert_eq!(
        email.channel.as_ref().unwrap().slug.as_ref().map(ToString::to_string).as_deref(),
        Some("email")
    );
    assert!(templates.get("nothing").optional().await?.is_none());
    assert_missing(templates.get_channel("order-shipped", "inbox").await);
    Ok(())
}
