let template = client.templates().get("order-shipped").await?;
println!("{template:?}");
