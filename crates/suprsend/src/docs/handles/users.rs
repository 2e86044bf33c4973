client.users().upsert("jane").email("jane@example.com").property("plan", "free").await?;
client.users().edit("jane").set("plan", "pro").append_sms("+15551234567").await?;
let jane = client.users().get("jane").await?;
println!("{} addresses", jane.channels().count());
