//! Mail and message delivery, marketing and shops.

use super::{Family, token, weak};

#[rustfmt::skip]
pub(super) const ROWS: &[Family] = &[
    token("sendgrid-key", "SendGrid key", &[r"SG\.\s{16,32}\.\s{32,64}"], "https://www.twilio.com/docs/sendgrid/ui/account-and-settings/api-keys"),
    weak("mailgun-key", "Mailgun key", &[r"key-\l{32}", r"pubkey-\h{32}"], "https://documentation.mailgun.com/docs/mailgun/user-manual/api-key-mgmt/api-keys"),
    token("mailchimp-key", "Mailchimp key", &[r"\h{32}-us\d{1,2}"], "https://mailchimp.com/developer/marketing/guides/quick-start/"),
    token("mandrill-key", "Mandrill key", &[r"md-\s{22}"], "https://mailchimp.com/developer/transactional/guides/quick-start/"),
    token("brevo-key", "Brevo key", &[r"xkeysib-\h{64}-\a{16}", r"xsmtpsib-\h{64}-\a{16}"], "https://developers.brevo.com/docs/getting-started"),
    token("resend-key", "Resend key", &[r"re_\a{8,10}_\a{20,}"], "https://resend.com/docs/api-reference/introduction"),
    token("mailersend-token", "MailerSend token", &[r"mlsn\.\h{64}"], "https://developers.mailersend.com/general.html"),
    token("klaviyo-key", "Klaviyo key", &[r"pk_\h{34}"], "https://developers.klaviyo.com/en/docs/authenticate_"),
    token("hubspot-token", "HubSpot private app token", &[r"pat-na\d-[0-9a-f-]{36}", r"pat-eu\d-[0-9a-f-]{36}", r"pat-ap\d-[0-9a-f-]{36}"], "https://developers.hubspot.com/docs/guides/apps/private-apps/overview"),
    token("shopify-token", "Shopify token or secret", &[r"shpat_\h{32}", r"shpca_\h{32}", r"shppa_\h{32}", r"shpss_\h{32}", r"shpua_\h{32}", r"shptka_\h{32}"], "https://shopify.dev/docs/apps/build/authentication-authorization"),
    token("twilio-key", "Twilio API key id", &[r"SK[0-9a-f]{32}"], "https://www.twilio.com/docs/iam/api-keys"),
    token("easypost-key", "EasyPost key", &[r"EZAK\a{54}", r"EZTK\a{54}"], "https://docs.easypost.com/docs/authentication"),
    token("shippo-token", "Shippo token", &[r"shippo_live_\h{40}", r"shippo_test_\h{40}"], "https://docs.goshippo.com/docs/guides_general/authentication/"),
    token("lob-key", "Lob key", &[r"live_\h{35}", r"test_\h{35}", r"live_pub_\h{31}", r"test_pub_\h{31}"], "https://docs.lob.com"),
    token("onesignal-key", "OneSignal key", &[r"os_v2_app_\l{60,}", r"os_v2_org_\l{60,}"], "https://documentation.onesignal.com/docs/keys-and-ids"),
    token("fcm-server-key", "Firebase Cloud Messaging server key", &[r"AAAA\s{7}:APA91\s{100,}"], "https://firebase.google.com/docs/cloud-messaging"),
    token("mapbox-token", "Mapbox secret token", &[r"sk\.eyJ\s{40,}\.\s{20,}", r"tk\.eyJ\s{40,}\.\s{20,}"], "https://docs.mapbox.com/help/getting-started/access-tokens/"),
    token("maxmind-key", "MaxMind license key", &[r"\a{6}_\a{29}_mmk"], "https://dev.maxmind.com/license-key/"),
    token("salesforce-session", "Salesforce session id", &[r"00D\a{12}![A-Za-z0-9_.]{60,}", r"00D\a{15}![A-Za-z0-9_.]{60,}"], "https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/quickstart_oauth.htm"),
    token("segment-token", "Segment public API token", &[r"sgp_\a{64}"], "https://docs.segmentapis.com"),
    token("instagram-token", "Instagram token", &[r"IGQ[A-Za-z0-9_-]{60,}"], "https://developers.facebook.com/docs/instagram-platform"),
    token("facebook-token", "Facebook token", &[r"EAA[A-Za-z0-9]{60,}"], "https://developers.facebook.com/docs/facebook-login/guides/access-tokens/"),
    token("linkedin-secret", "LinkedIn client secret", &[r"WPL_AP\d\.\a{16}\.[A-Za-z0-9=]{6,}"], "https://learn.microsoft.com/en-us/linkedin/shared/authentication/authentication"),
    token("twitter-bearer", "X (Twitter) bearer token", &[r"AAAAAAAAAAAAAAAAAAAAA[A-Za-z0-9%]{50,}"], "https://docs.x.com/fundamentals/authentication/oauth-2-0/bearer-tokens"),
    token("ebay-secret", "eBay production secret", &[r"PRD-\h{12}-\h{4}-\h{4}-\h{4}-\h{4}", r"SBX-\h{12}-\h{4}-\h{4}-\h{4}-\h{4}"], "https://developer.ebay.com/api-docs/static/oauth-credentials.html"),
    token("dropbox-token", "Dropbox token", &[r"sl\.u\.\s{100,}", r"sl\.B\s{100,}"], "https://www.dropbox.com/developers/documentation/http/documentation"),
    token("defined-networking-token", "Defined Networking token", &[r"dnkey-[A-Za-z0-9=_-]{26}-[A-Za-z0-9=_-]{52}"], "https://docs.defined.net"),
    token("salesloft-key", "Salesloft key", &[r"ak_\h{64}"], "https://developers.salesloft.com"),
    weak("close-key", "Close API key", &[r"api_\a{16,}\.\a{16,}"], "https://developer.close.com"),
    token("zoho-token", "Zoho OAuth token", &[r"100[0-9]\.\h{32}\.\h{32}"], "https://www.zoho.com/crm/developer/docs/api/v8/oauth-overview.html"),
    token("fleetbase-key", "Fleetbase key", &[r"flb_live_\a{16,}", r"flb_test_\a{16,}"], "https://docs.fleetbase.io"),
    token("deepl-key", "DeepL API Free key", &[r"\h{8}-\h{4}-\h{4}-\h{4}-\h{12}:fx"], "https://developers.deepl.com/docs"),
];
