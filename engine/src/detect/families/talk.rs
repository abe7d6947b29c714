//! Chat, calls and meetings.

use super::{Family, token};

#[rustfmt::skip]
pub(super) const ROWS: &[Family] = &[
    token("africas-talking-key", "Africa's Talking API key", &[r"atsk_\h{64,72}"], "https://developers.africastalking.com/docs/authentication"),
    token("kit-key", "Kit API key", &[r"kit_\h{32}"], "https://developers.kit.com/api-reference/authentication"),
    token("slack-token", "Slack token", &[r"xoxb-[A-Za-z0-9-]{16,}", r"xoxp-[A-Za-z0-9-]{16,}", r"xoxa-[A-Za-z0-9-]{16,}", r"xoxr-[A-Za-z0-9-]{16,}", r"xoxs-[A-Za-z0-9-]{16,}", r"xoxo-[A-Za-z0-9-]{16,}", r"xoxc-[A-Za-z0-9-]{16,}", r"xoxd-[A-Za-z0-9%+/=-]{16,}", r"xoxe-[A-Za-z0-9-]{16,}", r"xoxe\.xox[bp]-[A-Za-z0-9-]{16,}"], "https://docs.slack.dev/authentication/tokens"),
    token("slack-workspace-token", "Slack legacy workspace token", &[r"xoxa-\d-\a{8,}", r"xoxr-\d-\a{8,}", r"xoxa-\a{8,}", r"xoxr-\a{8,}"], "https://docs.slack.dev/authentication/tokens"),
    token("slack-app-token", "Slack app-level token", &[r"xapp-[A-Za-z0-9-]{20,}", r"xwfp-[A-Za-z0-9-]{20,}"], "https://docs.slack.dev/authentication/tokens"),
    token("slack-webhook", "Slack webhook", &[r"hooks.slack.com/services/([A-Za-z0-9/_+-]{20,})", r"hooks.slack.com/workflows/([A-Za-z0-9/_+-]{20,})", r"hooks.slack.com/triggers/([A-Za-z0-9/_+-]{20,})", r"hooks.slack-gov.com/services/([A-Za-z0-9/_+-]{20,})"], "https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks"),
    token("discord-webhook", "Discord webhook", &[r"discord.com/api/webhooks/(\d{16,20}/\s{40,})", r"discordapp.com/api/webhooks/(\d{16,20}/\s{40,})"], "https://discord.com/developers/docs/resources/webhook"),
    token("discord-bot-token", "Discord bot token", &[r"MT[AEIMQUYcgk]\s{21,25}\.\s{6}\.\s{27,}", r"Mj[AEIMQUYcgk]\s{21,25}\.\s{6}\.\s{27,}", r"Mz[AEIMQUYcgk]\s{21,25}\.\s{6}\.\s{27,}", r"ND[AEIMQUYcgk]\s{21,25}\.\s{6}\.\s{27,}", r"NT[AEIMQUYcgk]\s{21,25}\.\s{6}\.\s{27,}", r"Nj[AEIMQUYcgk]\s{21,25}\.\s{6}\.\s{27,}", r"Nz[AEIMQUYcgk]\s{21,25}\.\s{6}\.\s{27,}", r"OD[AEIMQUYcgk]\s{21,25}\.\s{6}\.\s{27,}", r"OT[AEIMQUYcgk]\s{21,25}\.\s{6}\.\s{27,}"], "https://discord.com/developers/docs/reference#authentication"),
    token("discord-mfa-token", "Discord MFA token", &[r"mfa\.\s{80,}"], "https://discord.com/developers/docs/reference#authentication"),
    token("telegram-bot-token", "Telegram bot token", &[r"\d{8}:AA\s{33}", r"\d{9}:AA\s{33}", r"\d{10}:AA\s{33}", r"/bot(\d{8}:AA\s{33})", r"/bot(\d{9}:AA\s{33})", r"/bot(\d{10}:AA\s{33})"], "https://core.telegram.org/bots/api#authorizing-your-bot"),
    token("teams-webhook", "Microsoft Teams webhook", &[r".webhook.office.com/webhookb2/([A-Za-z0-9@/-]{70,})", r"outlook.office.com/webhook/([A-Za-z0-9@/-]{70,})"], "https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/add-incoming-webhook"),
    token("google-chat-webhook", "Google Chat webhook", &[r"chat.googleapis.com/v1/spaces/[A-Za-z0-9_-]{4,40}/messages\?key=([A-Za-z0-9_%=&-]{30,})"], "https://developers.google.com/workspace/chat/quickstart/webhooks"),
    token("intercom-token", "Intercom token", &[r"dG9rO[A-Za-z0-9+/=_-]{30,}"], "https://developers.intercom.com/docs/build-an-integration/learn-more/authentication"),
    token("zapier-webhook", "Zapier webhook", &[r"hooks.zapier.com/hooks/catch/(\d{3,12}/\a{5,})"], "https://help.zapier.com"),
    token("dingtalk-secret", "DingTalk robot signing secret", &[r"SEC\h{64}"], "https://open.dingtalk.com/document/robots/customize-robot-security-settings"),
    token("dingtalk-webhook", "DingTalk robot webhook", &[r"oapi.dingtalk.com/robot/send\?access_token=(\h{64})"], "https://open.dingtalk.com/document/robots/custom-robot-access"),
    token("feishu-webhook", "Feishu or Lark webhook", &[r"open.feishu.cn/open-apis/bot/v2/hook/([0-9a-f-]{36})", r"open.larksuite.com/open-apis/bot/v2/hook/([0-9a-f-]{36})"], "https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot"),
    token("wecom-webhook", "WeCom robot webhook", &[r"qyapi.weixin.qq.com/cgi-bin/webhook/send\?key=([0-9a-f-]{36})"], "https://developer.work.weixin.qq.com/document/path/91770"),
    token("trello-token", "Trello token", &[r"ATTA\h{64}\h{0,8}"], "https://developer.atlassian.com/cloud/trello/guides/rest-api/api-introduction/"),
    token("pubnub-secret-key", "PubNub secret key", &[r"sec-c-[A-Za-z0-9+/=-]{36,}"], "https://www.pubnub.com/docs/general/basics/initialize"),
    token("notify-key", "GOV.UK or Canadian Notify API key", &[r"gcntfy-\s{70,}"], "https://documentation.notification.canada.ca"),
];
