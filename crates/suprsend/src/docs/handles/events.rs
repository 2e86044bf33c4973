client.events().track("jane", "order_placed").properties("order", 5678).await?;
