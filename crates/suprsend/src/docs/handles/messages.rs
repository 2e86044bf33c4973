let mut messages = client.messages().list().recipient_id("jane").items();
while let Some(message) = messages.next().await.transpose()? {
    println!("{}: {}", message.message_id, message.status);
}
