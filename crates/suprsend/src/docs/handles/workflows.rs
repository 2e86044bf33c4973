let response = client
    .workflows()
    .trigger("order-shipped")
    .recipient("jane")
    .data("order", 5678)
    .idempotency_key("order-5678")
    .await?;
println!("accepted as {:?}", response.message_id);
