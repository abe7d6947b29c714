//! Providers of models and machine learning.

use super::{Family, token, weak};

#[rustfmt::skip]
pub(super) const ROWS: &[Family] = &[
    token("openai-project-key", "OpenAI project key", &[r"sk-proj-\s{20,}"], "https://platform.openai.com/docs/api-reference/authentication"),
    token("openai-service-key", "OpenAI service account key", &[r"sk-svcacct-\s{20,}", r"sk-None-\s{20,}"], "https://platform.openai.com/docs/api-reference/service-accounts"),
    token("openai-admin-key", "OpenAI admin key", &[r"sk-admin-\s{20,}"], "https://platform.openai.com/docs/api-reference/admin-api-keys"),
    token("openai-legacy-key", "OpenAI user key", &[r"sk-\a{20}T3BlbkFJ\a{20}"], "https://platform.openai.com/docs/api-reference/authentication"),
    weak("sk-dash-key", "Key that begins with sk-", &[r"sk-\a{32,64}"], "https://api-docs.deepseek.com"),
    token("anthropic-key", "Anthropic API or admin key", &[r"sk-ant-\s{20,}"], "https://docs.anthropic.com/en/api/overview"),
    token("openrouter-key", "OpenRouter key", &[r"sk-or-v1-\h{32,}", r"sk-or-\s{32,}"], "https://openrouter.ai/docs/api-reference/authentication"),
    token("langfuse-key", "Langfuse secret key", &[r"sk-lf-\s{20,}"], "https://langfuse.com/docs/api"),
    token("hugging-face-token", "Hugging Face user token", &[r"hf_\a{30,}"], "https://huggingface.co/docs/hub/security-tokens"),
    token("hugging-face-org-token", "Hugging Face organization token", &[r"api_org_\a{30,}"], "https://huggingface.co/docs/hub/security-tokens"),
    token("replicate-token", "Replicate API token", &[r"r8_\a{30,}"], "https://replicate.com/docs/topics/security/api-tokens"),
    token("groq-key", "Groq API key", &[r"gsk_\a{32,}"], "https://console.groq.com/docs/quickstart"),
    token("perplexity-key", "Perplexity API key", &[r"pplx-\a{32,}"], "https://docs.perplexity.ai/getting-started"),
    token("xai-key", "xAI API key", &[r"xai-\a{60,}"], "https://docs.x.ai/docs/overview"),
    token("fireworks-key", "Fireworks AI key", &[r"fw_\a{22,}"], "https://docs.fireworks.ai/getting-started/quickstart"),
    token("together-key", "Together AI key", &[r"tgp_v1_\s{30,}"], "https://docs.together.ai/docs/quickstart"),
    token("nvidia-nim-key", "NVIDIA NGC or NIM key", &[r"nvapi-\s{40,}"], "https://docs.nvidia.com/ngc/gpu-cloud/ngc-user-guide/index.html"),
    token("langsmith-key", "LangSmith key", &[r"lsv2_pt_\h{32}_\h{10}", r"lsv2_sk_\h{32}_\h{10}"], "https://docs.smith.langchain.com"),
    token("pinecone-key", "Pinecone key", &[r"pcsk_\w{40,}"], "https://docs.pinecone.io/guides/projects/manage-api-keys"),
    token("wandb-key", "Weights & Biases key", &[r"wandb_v1_\s{40,}"], "https://docs.wandb.ai"),
    token("elevenlabs-key", "ElevenLabs key", &[r"sk_\h{48}"], "https://elevenlabs.io/docs/api-reference/authentication"),
    token("tavily-key", "Tavily key", &[r"tvly-\s{20,}"], "https://docs.tavily.com"),
    token("jina-key", "Jina AI key", &[r"jina_\s{40,}"], "https://jina.ai/embeddings"),
    token("voyage-key", "Voyage AI key", &[r"pa-\s{40,50}"], "https://docs.voyageai.com/docs/api-key-and-installation"),
    token("cerebras-key", "Cerebras key", &[r"csk-\l{40,}"], "https://inference-docs.cerebras.ai"),
    token("runpod-key", "RunPod key", &[r"rpa_\a{40,}"], "https://docs.runpod.io/get-started/api-keys"),
    token("modal-token", "Modal token", &[r"as-\a{22}", r"ak-\a{22}"], "https://modal.com/docs/reference/cli/token"),
    token("llamacloud-key", "LlamaCloud key", &[r"llx-\s{40,}"], "https://docs.cloud.llamaindex.ai"),
    token("e2b-key", "E2B key", &[r"e2b_\h{40}"], "https://e2b.dev/docs/api-key"),
    token("firecrawl-key", "Firecrawl key", &[r"fc-\h{32}"], "https://docs.firecrawl.dev"),
    token("cursor-key", "Cursor key", &[r"key_\h{64}"], "https://docs.cursor.com/account/teams/admin-api"),
    token("browserbase-key", "Browserbase key", &[r"bb_live_\s{20,}", r"bb_test_\s{20,}"], "https://docs.browserbase.com/reference/introduction"),
];
