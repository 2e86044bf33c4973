client.objects().upsert("departments", "sales").email("sales@example.com").await?;
client.objects().subscriptions("departments", "sales").add("jane").await?;
