client.tenants().upsert("acme", "Acme Inc.").primary_color("#112233".to_owned()).await?;
client.workflows().trigger("order-shipped").recipient("jane").tenant("acme").await?;
