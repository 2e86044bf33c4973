// The client has the UID of its workspace, from `ClientBuilder::workspace`.
client.broadcasts().send("newsletter", "monthly-news", "promotional").data("month", "May").await?;
