client.lists().upsert("newsletter").list_name("Newsletter".to_owned()).await?;
client.lists().subscribers("newsletter").add(["jane", "joe"]).await?;
client.lists().replace("newsletter", ["jane", "ann"]).await?;
