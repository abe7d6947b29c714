//! Names of services whose keys have no format of their own: hexadecimal digits, a UUID, letters and digits. Only the name
//! before them tells (`deepgram_key`, `SNYK_TOKEN`, `"assemblyai": "…"`).
//!
//! Knows names only; must never look at a value.

/// Nobody calls anything else so: the name alone, or before `api`, announces a key.
#[rustfmt::skip]
pub(super) const NAMES: &[&str] = &[
    "abstractapi", "abuseipdb", "accuweather", "adafruit", "adyen", "aftership", "ahrefs", "ai21", "airbrake", "airtable",
    "aiven", "algolia", "alphavantage", "anthropic", "apify", "apilayer", "appcues", "appdynamics", "appoptics", "appveyor",
    "assemblyai", "auth0", "aviationstack", "baremetrics", "baseten", "betterstack", "bitly", "bitrise", "blockfrost",
    "braintree", "brevo", "browserstack", "bugsnag", "buildkite", "calendly", "campaignmonitor", "censys", "chargebee",
    "chartmogul", "checkly", "circleci", "clarifai", "clearbit", "clickup", "clockify", "cloudconvert", "cloudinary",
    "cloudsmith", "codacy", "codeclimate", "codecov", "coinapi", "coinbase", "coingecko", "coinmarketcap", "commercetools",
    "contentful", "convertkit", "coralogix", "coveralls", "crowdin", "crowdstrike", "currencylayer", "customerio",
    "databricks", "datadog", "deepgram", "deepinfra", "deepl", "deepseek", "diffbot", "digicert", "digitalocean", "disqus",
    "docusign", "dynatrace", "easypost", "elasticemail", "elevenlabs", "etherscan", "eventbrite", "exchangeratesapi", "fal",
    "finnhub", "firecrawl", "flagsmith", "flutterwave", "freshbooks", "freshdesk", "freshsales", "freshservice", "frontapp",
    "fullstory", "geoapify", "geocodio", "gitea", "gitguardian", "gocardless", "graphhopper", "growthbook", "gumroad",
    "hasura", "helpscout", "honeybadger", "hotjar", "hubspot", "huggingface", "hunterio", "infobip", "infracost", "infura",
    "ipdata", "ipgeolocation", "ipinfo", "ipstack", "jumpcloud", "klaviyo", "kucoin", "langfuse", "langsmith",
    "launchdarkly", "lemonsqueezy", "lightstep", "locationiq", "logdna", "logentries", "loggly", "logzio", "lokalise",
    "mailchimp", "mailerlite", "mailgun", "mailjet", "mailtrap", "mapbox", "mapquest", "maxmind", "meraki", "messagebird",
    "midtrans", "mixpanel", "moosend", "netlify", "newrelic", "newsapi", "ngrok", "nylas", "okta", "omnisend", "onelogin",
    "onesignal", "opencage", "openexchangerates", "openrouter", "openai", "openweather", "openweathermap", "opsgenie",
    "optimizely", "owlbot", "pagerduty", "pandadoc", "paystack", "pendo", "pepipost", "pinecone", "pingdom", "pipedrive",
    "plaid", "planetscale", "plivo", "positionstack", "posthog", "postmark", "pubnub", "pulumi", "qdrant", "quickbooks",
    "rapid7", "rapidapi", "rapyd", "raygun", "razorpay", "recurly", "revenuecat", "ringcentral", "roboflow", "rollbar",
    "runpod", "salesloft", "saucelabs", "scrapingbee", "securitytrails", "sendbird", "sendgrid", "sendinblue", "sentry",
    "serpapi", "shippo", "shodan", "signalfx", "sinch", "smartsheet", "snyk", "sonarcloud", "sonarqube", "sparkpost",
    "splunk", "spoonacular", "squarespace", "stackhawk", "statuspage", "storyblok", "strava", "stripe", "stytch",
    "sumologic", "supabase", "surveymonkey", "tavily", "telnyx", "thingspeak", "tiingo", "tomtom", "twelvedata", "twilio",
    "typeform", "unsplash", "uploadcare", "upstash", "uptimerobot", "urlscan", "vercel", "virustotal", "visualcrossing",
    "voiceflow", "vultr", "wakatime", "wandb", "weatherapi", "weatherbit", "weatherstack", "webflow", "whoisxml", "wistia",
    "zendesk", "zenserp", "zerobounce", "zhipu", "zoominfo",
];

/// Words of the language, too: only together with what a key is called.
#[rustfmt::skip]
pub(super) const WORDS: &[&str] = &[
    "ably", "adobe", "alchemy", "amplitude", "anypoint", "apollo", "appcenter", "asana", "axiom", "azure", "beamer",
    "bitbucket", "branch", "branchio", "braze", "builder", "bunny", "carto", "checkout", "clay", "clickhouse", "cloudflare",
    "cohere", "confluent", "courier", "cypress", "detectify", "directus", "discord", "doppler", "drip", "dropbox", "duffel",
    "facebook", "fastly", "fauna", "figma", "fileio", "fireworks", "fixer", "flickr", "foursquare", "gemini", "gemstash",
    "ghost", "giphy", "github", "gitlab", "gitter", "grafana", "greenhouse", "groq", "harness", "heroku", "honeycomb",
    "hunter", "imgur", "instana", "intercom", "iterable", "jenkins", "jina", "kagi", "keycdn", "kickbox", "knock",
    "kraken", "linear", "linode", "lob", "looker", "mandrill", "mattermost", "mistral", "mollie", "mux", "nasa", "neutrino",
    "northflank", "notion", "novita", "onfido", "paddle", "percy", "perplexity", "plesk", "polygon", "polymarket", "portkey",
    "postman", "prefect", "prismic", "pusher", "quicknode", "relic", "replicate", "resend", "salesforce", "sanity",
    "scaleway", "semaphore", "shopify", "shortcut", "slack", "sourcegraph", "speechmatics", "spotify", "square", "telegram",
    "todoist", "trello", "twitch", "twitter", "unleash", "upcloud", "vimeo", "wechat", "xero", "yelp", "youtube", "zapier",
    "zoho", "zoom",
];
