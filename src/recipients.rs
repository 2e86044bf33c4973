//! Constructors of recipients and attachments, in the forms that the OpenAPI document declares.

use std::{
    error, fmt,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;

use crate::types::{
    Attachment, AttachmentFromData, AttachmentFromUrl, ChannelName, MsTeamsChannel, ObjectRecipient,
    ObjectSubscriptionsQuery, Recipient, RecipientContext, SlackChannel, UserRecipient, WebPush,
};

/// A recipient is created from the `distinct_id` of a user, or with additional data:
///
/// ```
/// use suprsend_api::types::Recipient;
///
/// let jane = Recipient::from("jane");
/// let joe: Recipient = Recipient::user("joe").email("joe@example.com").sms("+15551234567").into();
/// let sales: Recipient = Recipient::object("departments", "sales").into();
/// ```
impl Recipient {
    /// Creates a recipient from a user's `distinct_id`. Channels and properties can be added.
    pub fn user(distinct_id: impl fmt::Display) -> UserRecipient {
        UserRecipient { distinct_id: Some(distinct_id.to_string()), ..UserRecipient::default() }
    }

    /// Creates a recipient without a profile, who is reached on the channels that you add and is not stored.
    pub fn transient() -> UserRecipient {
        UserRecipient { is_transient: Some(true), ..UserRecipient::default() }
    }

    /// Creates a recipient from an object such as a team: its own channels and its subscribers are notified.
    pub fn object(object_type: impl Into<String>, id: impl fmt::Display) -> ObjectRecipient {
        ObjectRecipient {
            androidpush: Vec::new(),
            channels: Vec::new(),
            email: Vec::new(),
            id: id.to_string(),
            inbox: Vec::new(),
            iospush: Vec::new(),
            locale: None,
            ms_teams: Vec::new(),
            object_subscriptions_query: None,
            object_type: object_type.into(),
            preferred_language: None,
            slack: Vec::new(),
            sms: Vec::new(),
            timezone: None,
            webpush: Vec::new(),
            whatsapp: Vec::new(),
            extra: serde_json::Map::new(),
        }
    }
}

// The types that the generated code does not cover: it covers `&str` and `String`.
macro_rules! ids {
    ($($id:ty),* $(,)?) => {
        $(
            /// Creates a recipient from the `distinct_id` of a user.
            impl From<$id> for Recipient {
                fn from(id: $id) -> Self {
                    Self::DistinctId(id.to_string())
                }
            }
        )*
    };
}

ids! { &String, &&str, i32, i64, u32, u64, u128, &i32, &i64, &u32, &u64, &u128 }

macro_rules! parts {
    ($recipient:ident) => {
        /// Channels that are set here replace those of the profile for this run, and are added to the profile.
        impl $recipient {
            /// Adds an e-mail address.
            pub fn email(mut self, address: impl Into<String>) -> Self {
                self.email.push(address.into());
                self
            }

            /// Adds a phone number for SMS, in E.164: `+15551234567`.
            pub fn sms(mut self, number: impl Into<String>) -> Self {
                self.sms.push(number.into());
                self
            }

            /// Adds a phone number for WhatsApp, in E.164: `+15551234567`.
            pub fn whatsapp(mut self, number: impl Into<String>) -> Self {
                self.whatsapp.push(number.into());
                self
            }

            /// Adds an id of SuprSend's inbox.
            pub fn inbox(mut self, identifier: impl Into<String>) -> Self {
                self.inbox.push(identifier.into());
                self
            }

            /// Adds a browser's push subscription.
            pub fn web_push(mut self, subscription: impl Into<WebPush>) -> Self {
                self.webpush.push(subscription.into());
                self
            }

            /// Adds the push token of an Android device.
            pub fn android_push(mut self, token: impl Into<String>) -> Self {
                self.androidpush.push(token.into());
                self
            }

            /// Adds the push token of an iOS device.
            pub fn ios_push(mut self, token: impl Into<String>) -> Self {
                self.iospush.push(token.into());
                self
            }

            /// Adds a Slack member, channel or webhook.
            pub fn slack(mut self, channel: impl Into<SlackChannel>) -> Self {
                self.slack.push(channel.into());
                self
            }

            /// Adds a Microsoft Teams user, conversation or webhook.
            pub fn ms_teams(mut self, channel: impl Into<MsTeamsChannel>) -> Self {
                self.ms_teams.push(channel.into());
                self
            }

            /// Adds a channel to those that may be used. By default, all may be used.
            pub fn channel(mut self, name: impl Into<ChannelName>) -> Self {
                self.channels.push(name.into());
                self
            }

            /// Sets the time zone, by its IANA name: `America/New_York`.
            pub fn timezone(mut self, name: impl Into<String>) -> Self {
                self.timezone = Some(name.into());
                self
            }

            /// Sets the locale that contents are translated to: `en_GB`.
            pub fn locale(mut self, locale: impl Into<String>) -> Self {
                self.locale = Some(locale.into());
                self
            }

            /// Sets the language, by its code: `en`.
            pub fn preferred_language(mut self, code: impl Into<String>) -> Self {
                self.preferred_language = Some(code.into());
                self
            }

            /// Sets a custom property. Names that begin with `$` are reserved for SuprSend.
            pub fn property(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
                self.extra.insert(name.into(), value.into());
                self
            }
        }
    };
}

parts!(UserRecipient);
parts!(ObjectRecipient);

impl UserRecipient {
    /// Does not create a profile if there is none.
    pub fn skip_create(mut self) -> Self {
        self.skip_create = Some(true);
        self
    }

    /// Stores channels and properties in the user's profile of this tenant, which must be the tenant of the request.
    pub fn tenant(mut self, id: impl fmt::Display) -> Self {
        self.context = Some(RecipientContext { tenant_id: Some(id.to_string()) });
        self
    }
}

impl ObjectRecipient {
    /// Sets how far subscriptions are followed: 0 notifies only the object, 1 also its subscribers, 2 (the default) also those of its child
    /// objects.
    pub fn depth(mut self, depth: i64) -> Self {
        self.object_subscriptions_query = Some(ObjectSubscriptionsQuery { depth: Some(depth) });
        self
    }
}

/// The maximum size of an attached file, in bytes: 50 KB, according to SuprSend's documentation.
const LARGEST_FILE: u64 = 50 * 1024;

/// Media types of common attachments, by file name extension.
const MEDIA_TYPES: [(&str, &str); 22] = [
    ("csv", "text/csv"),
    ("doc", "application/msword"),
    ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("gif", "image/gif"),
    ("gz", "application/gzip"),
    ("htm", "text/html"),
    ("html", "text/html"),
    ("ics", "text/calendar"),
    ("jpeg", "image/jpeg"),
    ("jpg", "image/jpeg"),
    ("json", "application/json"),
    ("md", "text/markdown"),
    ("pdf", "application/pdf"),
    ("png", "image/png"),
    ("pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    ("svg", "image/svg+xml"),
    ("txt", "text/plain"),
    ("vcf", "text/vcard"),
    ("webp", "image/webp"),
    ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("xml", "application/xml"),
    ("zip", "application/zip"),
];

impl Attachment {
    /// Reads a file to attach, with its name, and with its media type if the file name extension is known.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be read, or is larger than 50 KB (51,200 bytes). Pass a larger file by its URL.
    pub fn file(path: impl AsRef<Path>) -> Result<Self, AttachmentError> {
        let path = path.as_ref();
        let refuse = |fault| AttachmentError { path: path.to_owned(), fault };
        let read = || -> io::Result<Option<Vec<u8>>> {
            let file = File::open(path)?;
            if !file.metadata()?.is_file() {
                return Ok(None);
            }
            let mut content = Vec::new();
            // The file may grow meanwhile.
            file.take(LARGEST_FILE + 1).read_to_end(&mut content)?;
            Ok(Some(content))
        };
        match read() {
            Err(error) => Err(refuse(Fault::Unreadable(error))),
            Ok(None) => Err(refuse(Fault::NoFile)),
            Ok(Some(content)) if content.len() as u64 > LARGEST_FILE => Err(refuse(Fault::TooLarge)),
            Ok(Some(content)) => {
                let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
                Ok(Self::content(content, name.unwrap_or_default()))
            }
        }
    }

    /// Attaches this content under a name, whose extension determines the media type. SuprSend accepts at most 50 KB.
    pub fn content(content: impl AsRef<[u8]>, filename: impl Into<String>) -> Self {
        let filename = filename.into();
        let ending = filename.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
        let known = MEDIA_TYPES.iter().find(|(known, _)| ending.as_deref() == Some(known));
        Self::Data(AttachmentFromData {
            content_type: known.map(|(_, media_type)| (*media_type).to_owned()),
            data: STANDARD.encode(content),
            filename: Some(filename),
        })
    }

    /// Lets SuprSend fetch the file from a URL, whatever its size.
    pub fn url(url: impl Into<String>) -> Self {
        Self::Url(AttachmentFromUrl { filename: None, ignore_if_error: None, url: url.into() })
    }

    /// Sets the name under which the file is attached.
    pub fn filename(mut self, name: impl Into<String>) -> Self {
        match &mut self {
            Self::Url(AttachmentFromUrl { filename, .. })
            | Self::Data(AttachmentFromData { filename, .. }) => {
                *filename = Some(name.into());
            }
            // Whatever its form is, the member has this name in those that are known.
            Self::Other(other) => {
                if let Some(members) = other.as_object_mut() {
                    members.insert("filename".to_owned(), Value::String(name.into()));
                }
            }
        }
        self
    }

    /// Sets the media type of a content. A file that is fetched from a URL has its own.
    pub fn content_type(mut self, media_type: impl Into<String>) -> Self {
        if let Self::Data(data) = &mut self {
            data.content_type = Some(media_type.into());
        }
        self
    }

    /// Sends the message without the file if it cannot be fetched from its URL.
    pub fn ignore_if_error(mut self) -> Self {
        if let Self::Url(url) = &mut self {
            url.ignore_if_error = Some(true);
        }
        self
    }
}

/// The reason why a file cannot be attached.
#[derive(Debug)]
pub struct AttachmentError {
    path: PathBuf,
    fault: Fault,
}

#[derive(Debug)]
enum Fault {
    Unreadable(io::Error),
    NoFile,
    TooLarge,
}

impl AttachmentError {
    /// Returns the path as it was passed.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl fmt::Display for AttachmentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match &self.fault {
            Fault::Unreadable(error) => write!(f, "cannot read the file `{path}`: {error}"),
            Fault::NoFile => write!(f, "`{path}` is no file"),
            Fault::TooLarge => write!(
                f,
                "the file `{path}` has more than {LARGEST_FILE} bytes (50 KB), the most that can be sent along: attach it by its URL"
            ),
        }
    }
}

impl error::Error for AttachmentError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match &self.fault {
            Fault::Unreadable(error) => Some(error),
            Fault::NoFile | Fault::TooLarge => None,
        }
    }
}
