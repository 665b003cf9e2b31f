"""Unknowns of the deployment on AWS, which the simulator cannot play."""

from local.simulator.unknowns.model import Answer, Unknown

_AWS = "https://docs.aws.amazon.com"
_GATEWAY = (
    f"{_AWS}/apigateway/latest/developerguide/http-api-develop-integrations-aws-services.html"
)


def _unknown(
    name: str,
    question: str,
    yes: tuple[str, str],
    no: tuple[str, str],
    evidence: str,
    sources: tuple[str, ...],
) -> Unknown:
    return Unknown(
        id=name,
        question=question,
        answers=(Answer("yes", *yes), Answer("no", *no)),
        assumed="yes",
        confidence="unknown",
        sources=sources,
        evidence=evidence,
    )


UNKNOWNS = (
    _unknown(
        "cold-start",
        "Does a cold start on arm64 with 1,024 MB fit Telnyx's wait for an answer?",
        ("It takes less than 2 s.", "Telnyx gets the first answer."),
        ("It takes longer.", "Telnyx delivers the webhook again, which meets a warm function."),
        "Init duration and duration of the first webhook in the log.",
        ("decision 26",),
    ),
    _unknown(
        "deploys",
        "Does `sam deploy` of this template work in an account, roles and rules included?",
        ("The stack is created.", "The deployment works."),
        ("CloudFormation refuses a resource.", "The deployment is rolled back."),
        "The status of the stack.",
        ("decision 32",),
    ),
    _unknown(
        "queue-body",
        "Does API Gateway hand `$request.body` to SQS as text, non-ASCII included?",
        ("The message is the body.", "FailoverFunction checks the signature of the text."),
        ("The message is base64.", "FailoverFunction decodes the message first."),
        "Post a signed body with an umlaut to the failover URL, and read the message.",
        (_GATEWAY, "decision 47"),
    ),
    _unknown(
        "queue-headers",
        "Does SQS refuse a request to the failover URL without signature headers?",
        ("400 from API Gateway.", "Nothing is queued."),
        ("The message is queued.", "FailoverFunction drops the message."),
        "Post a body without the headers to the failover URL: status, and messages in the queue.",
        (_GATEWAY, "decision 46"),
    ),
    _unknown(
        "queue-sender",
        "Is the SenderId of a message from API Gateway `<RoleId of FailoverQueueRole>:<session>`?",
        ("The role is known.", "`first-sent-at` of such a message is ignored."),
        ("The SenderId differs.", "`first-sent-at` of such a message counts."),
        "SenderId of a message in the failover queue.",
        (_GATEWAY, "decision 119"),
    ),
    _unknown(
        "header-quotes",
        "Does API Gateway escape a quote in a header that it puts into a message attribute?",
        ("The quote is escaped.", "The attribute holds the header."),
        ("The quote ends the value.", "The attribute is refused by the check of the signature."),
        "Post a header with a quote to the failover URL, and read the attributes.",
        (_GATEWAY, "decision 119"),
    ),
    _unknown(
        "missing-header",
        "Does API Gateway fill a missing header in `tool:${request.header...}` with nothing?",
        ("The value is `tool:`.", "The authorizer sees no call."),
        ("The request is refused.", "The tool cannot be used without the header."),
        "Post to /tools/status without x-telnyx-call-control-id: the status.",
        (_GATEWAY, "decision 37"),
    ),
    _unknown(
        "dead-letters",
        "Do the dead letters of the stream's mapping have `DDBStreamBatchInfo`?",
        ("As in published examples.", "`partyline redrive events` reads the records again."),
        ("In another form.", "`partyline redrive events` refuses the message, which stays."),
        "Let the event relay fail for one record, and read the message.",
        (f"{_AWS}/lambda/latest/dg/services-dynamodb-errors.html", "decision 50"),
    ),
    _unknown(
        "byte-code",
        "Does boto3 in Lambda's Python 3.13 come with byte code?",
        ("The import costs 0.3 s of processor time.", "boto3 stays outside the layer."),
        ("The import costs 1.0 s.", "boto3 should be packed into the layer."),
        "Files with the ending .pyc beside boto3 in /var/lang/lib.",
        ("decision 62",),
    ),
    _unknown(
        "canary-update",
        "Does an update of `ProvisionedConcurrency` go through while a canary runs?",
        ("The update is applied.", "No pause is needed."),
        ("CloudFormation refuses.", "The operator waits for the canary's end."),
        "Deploy with another ProvisionedConcurrency during a canary.",
        ("docs/operations.md",),
    ),
    _unknown(
        "own-key",
        "Does a stack with `KmsKeyArn` work with the key policy in docs/operations.md?",
        ("The table and the queues work.", "The operator's key encrypts all data."),
        ("A service is refused.", "The deployment or the first call fails with an alarm."),
        "Deploy with KmsKeyArn, and run the test calls.",
        ("docs/operations.md",),
    ),
    _unknown(
        "leading-keys",
        "Does `dynamodb:LeadingKeys` let `directory` write its `ROUTE#` and `DNC#` rows only?",
        ("Other rows are refused.", "A stolen role cannot change conversations."),
        ("Its own rows are refused too.", "PUT /routes answers 500, with an alarm."),
        "PUT /routes, and a simulation of a write of another row by IAM's policy simulator.",
        ("decision 128",),
    ),
    _unknown(
        "metric-lines",
        "Do lines of metrics reach CloudWatch with `LogFormat` JSON and `SystemLogLevel` WARN?",
        ("CloudWatch makes metrics of the lines.", "The alarms work."),
        ("The lines stay text.", "No alarm on our own metrics rings."),
        "Send an unsigned webhook, and look for `UnsignedRefused` in CloudWatch.",
        ("decision 188",),
    ),
    _unknown(
        "failover-limit",
        "Does the limit of `POST /failover` hold for a route without a function?",
        ("More than 50 requests at once get 429.", "The queue stays small."),
        ("The limit of the whole API holds.", "A stranger can fill the queue faster."),
        "Send 200 requests at once to /failover.",
        ("docs/operations.md",),
    ),
)
